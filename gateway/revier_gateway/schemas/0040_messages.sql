-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- The feed's messages, each stored once. An observation stays when the feed's broker has it: it is
-- then the history of its asset. Any other message goes.
CREATE TABLE message (
  id INTEGER PRIMARY KEY, -- given by the store without gaps, never one twice
  asset TEXT NOT NULL,
  t_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  retain INTEGER NOT NULL,
  state INTEGER NOT NULL, -- 1: this observation goes out as the asset's state, too, under id + 1
  kept INTEGER NOT NULL, -- 1: an observation that stays
  topic TEXT NOT NULL, -- empty: from before this table, and sent
  payload BLOB NOT NULL
);

-- One row: the feed's broker has every message up to this id.
CREATE TABLE sent (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL);

-- Messages after that one that are not to be sent any more.
CREATE TABLE settled (id INTEGER PRIMARY KEY);

INSERT INTO message (asset, t_ms, kind, retain, state, kept, topic, payload)
  SELECT asset, t_ms, 'obs', 0, 0, 1, '', payload FROM history ORDER BY asset, t_ms;
INSERT INTO sent SELECT 1, coalesce(max(id), 0) FROM message;
INSERT INTO message (asset, t_ms, kind, retain, state, kept, topic, payload)
  SELECT asset, t_ms, kind, retain, 0, 0, topic, payload FROM outbox ORDER BY id;

DROP TABLE history;
DROP TABLE latest;
DROP TABLE outbox;

CREATE INDEX message_of_asset ON message (asset, t_ms) WHERE kept = 1;
-- Alarms are few; after an outage they go before a million readings.
CREATE INDEX message_alarms ON message (id) WHERE kind = 'alarm';

-- The observations of each asset.
CREATE VIEW history AS SELECT asset, t_ms, payload, id FROM message WHERE kept = 1;

-- What is still to be sent, one row for each message.
CREATE VIEW outbox AS
  SELECT message.id, topic, payload, kind, asset, t_ms, retain FROM message, sent
    WHERE message.id > sent.id AND message.id NOT IN (SELECT id FROM settled)
  UNION ALL
  SELECT message.id + 1, substr(topic, 1, length(topic) - 3) || 'state', payload, 'state', asset, t_ms, 1
    FROM message, sent
    WHERE state = 1 AND message.id >= sent.id AND message.id + 1 NOT IN (SELECT id FROM settled);

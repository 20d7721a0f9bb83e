-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- The frame counters of each device (gaps/frames.py), as MessagePack; noticed_ms: the oldest hole
-- that is not declared yet.
CREATE TABLE frames (
  dev_eui TEXT PRIMARY KEY,
  state BLOB NOT NULL,
  noticed_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX frames_noticed ON frames (noticed_ms) WHERE noticed_ms IS NOT NULL;

-- When the gateway was not subscribed to ChirpStack's events.
CREATE TABLE outages (began_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL);

-- One row: the gateway was subscribed at this time. After a kill the outage began then.
CREATE TABLE alive (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL);

-- Declared gaps: frames first to last of one session that nobody heard.
CREATE TABLE gaps (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  dev_eui TEXT NOT NULL,
  dev_addr TEXT NOT NULL,
  f_cnt_first INTEGER NOT NULL,
  f_cnt_last INTEGER NOT NULL,
  after_ms INTEGER NOT NULL, -- the frame before was heard then
  before_ms INTEGER NOT NULL, -- the frame after was heard then
  asset TEXT NOT NULL, -- empty: the device served none
  ags TEXT NOT NULL,
  domain TEXT NOT NULL,
  kind TEXT NOT NULL, -- of the asset
  cause TEXT NOT NULL,
  state TEXT NOT NULL, -- missing, filled; none: no reading was in them
  frames INTEGER NOT NULL, -- still missing
  seq_first INTEGER, -- readings that may be in them; null: not known
  seq_last INTEGER,
  readings INTEGER, -- still missing; null: not known
  confirmed INTEGER NOT NULL DEFAULT 0, -- the node was asked: it has no more of them
  rev INTEGER NOT NULL DEFAULT 0, -- of the feed message
  declared_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  look_ms INTEGER -- something came that may fill it
);
CREATE INDEX gaps_of_device ON gaps (dev_eui, state);
CREATE INDEX gaps_look ON gaps (look_ms) WHERE look_ms IS NOT NULL;

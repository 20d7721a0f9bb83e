-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- Downlinks and what became of them (commands/fate.py).
CREATE TABLE commands (
  id TEXT PRIMARY KEY,
  dev_eui TEXT NOT NULL,
  kind TEXT NOT NULL, -- configure, backfill, downlink
  f_port INTEGER NOT NULL,
  data BLOB NOT NULL,
  confirmed INTEGER NOT NULL,
  answers INTEGER NOT NULL, -- the node answers by a message of its own
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  item_id TEXT NOT NULL, -- in ChirpStack's queue
  attempts INTEGER NOT NULL,
  next_ms INTEGER NOT NULL, -- not given to ChirpStack before
  sent_ms INTEGER,
  uplinks INTEGER NOT NULL, -- heard since it was sent or answered
  answered INTEGER NOT NULL,
  ended_ms INTEGER,
  origin TEXT NOT NULL, -- admin, gaps, settings, or the ags of who asked
  asked TEXT NOT NULL -- transaction of the request; empty: none
) WITHOUT ROWID;
CREATE INDEX commands_of_device ON commands (dev_eui, created_ms);
CREATE INDEX commands_open ON commands (ended_ms) WHERE ended_ms IS NULL;
CREATE UNIQUE INDEX commands_asked ON commands (origin, asked) WHERE asked != '';

-- The settings that a device should have, and what it says of those that it has, as MessagePack.
CREATE TABLE settings (dev_eui TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;

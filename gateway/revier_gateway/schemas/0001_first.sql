-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- Frames and readings that came before: 16-byte keys, with the time of the event and the check sum
-- of the content, by which two readings that claim one identity are found out.
CREATE TABLE seen (
  key BLOB PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  content INTEGER NOT NULL
) WITHOUT ROWID;

-- Messages that wait for the feed's broker, in order.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY, -- given by the store, never one twice
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  kind TEXT NOT NULL,
  asset TEXT NOT NULL,
  t_ms INTEGER NOT NULL,
  retain INTEGER NOT NULL
);

-- What was not understood (leg 'source') or not taken (leg 'feed'), with its bytes.
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  leg TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  digest BLOB NOT NULL UNIQUE
);

-- One device's sessions and anchors (identity.py), as MessagePack.
CREATE TABLE identity (dev_eui TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;

-- The newest observation of each asset, by the time of measurement.
CREATE TABLE latest (
  asset TEXT PRIMARY KEY,
  t_ms INTEGER NOT NULL,
  payload BLOB NOT NULL
) WITHOUT ROWID;

-- The newest observations of each asset, for the page.
CREATE TABLE history (
  asset TEXT NOT NULL,
  t_ms INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (asset, t_ms)
) WITHOUT ROWID;

-- When a device or a radio gateway was last heard, and in how many frames.
CREATE TABLE heard (
  role TEXT NOT NULL,
  name TEXT NOT NULL,
  last_ms INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  PRIMARY KEY (role, name)
) WITHOUT ROWID;

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

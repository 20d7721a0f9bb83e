-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- How often each device speaks (watch/habit.py), and the radio gateways that heard it last.
CREATE TABLE watch_device (
  dev_eui TEXT PRIMARY KEY,
  habit BLOB NOT NULL,
  gateways TEXT NOT NULL -- ids with a space in between
) WITHOUT ROWID;

-- The times in which nothing could be heard, by scope: 'source' or a radio gateway's id.
CREATE TABLE watch_deaf (
  scope TEXT NOT NULL,
  cause TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER,
  PRIMARY KEY (scope, from_ms)
) WITHOUT ROWID;

-- 'first' and 'alive': when this gateway listened first and last.
CREATE TABLE watch_mark (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;

-- What the feed was told of each asset.
CREATE TABLE availability (
  asset TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  since_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Alerts that are not over or not told yet, as MessagePack (alerts/book.py).
CREATE TABLE alert (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  alert BLOB NOT NULL,
  PRIMARY KEY (rule, subject)
) WITHOUT ROWID;

-- Every alert that was ever raised.
CREATE TABLE incident (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  detail TEXT NOT NULL,
  PRIMARY KEY (rule, subject, since_ms)
) WITHOUT ROWID;

-- Maintenance windows. '*' is every rule, or every subject.
CREATE TABLE silence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  why TEXT NOT NULL
);

-- One asset's day, in UTC: kept for the reports.
CREATE TABLE daily (
  day TEXT NOT NULL, -- 2026-05-04
  asset TEXT NOT NULL,
  readings INTEGER NOT NULL,
  seq_newest INTEGER, -- the node's own sequence; NULL where no reading told it
  dev_eui TEXT NOT NULL,
  online_s INTEGER NOT NULL,
  deaf_s INTEGER NOT NULL, -- of which nothing is known
  watched_s INTEGER NOT NULL, -- all of the time in which somebody looked
  battery_v REAL, -- the day's lowest
  PRIMARY KEY (day, asset)
) WITHOUT ROWID;

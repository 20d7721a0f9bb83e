-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- What each frame changes of its device, in one row.
CREATE TABLE device (
  id INTEGER PRIMARY KEY, -- the DevEUI as a number, less 2^63
  dev_eui TEXT NOT NULL,
  identity BLOB, -- sessions and anchors (identity.py), as MessagePack; null: none was entered
  frames BLOB, -- frame counters (gaps/frames.py), as MessagePack; null: none
  noticed_ms INTEGER, -- the oldest hole in them that is not declared yet
  last_ms INTEGER, -- when it was last heard; null: never
  heard INTEGER NOT NULL -- in how many frames
);

-- When a radio gateway was last heard, and in how many frames.
CREATE TABLE ear (
  gateway_id TEXT PRIMARY KEY,
  last_ms INTEGER NOT NULL,
  frames INTEGER NOT NULL
) WITHOUT ROWID;

-- SQLite has no number of a hexadecimal text: digit by digit.
INSERT INTO device
  WITH RECURSIVE
    known (dev_eui, identity, frames, noticed_ms, last_ms, heard) AS (
      SELECT dev_eui, state, NULL, NULL, NULL, NULL FROM identity
      UNION ALL SELECT dev_eui, NULL, state, noticed_ms, NULL, NULL FROM frames
      UNION ALL SELECT name, NULL, NULL, NULL, last_ms, frames FROM heard WHERE role = 'device'
    ),
    one (dev_eui, identity, frames, noticed_ms, last_ms, heard) AS (
      SELECT dev_eui, max(identity), max(frames), max(noticed_ms), max(last_ms), max(heard)
        FROM known GROUP BY dev_eui
    ),
    number (dev_eui, digits, id) AS (
      SELECT dev_eui, 1, instr('0123456789abcdef', substr(dev_eui, 1, 1)) - 9 FROM one
      UNION ALL
      SELECT dev_eui, digits + 1,
             id * 16 + (instr('0123456789abcdef', substr(dev_eui, digits + 1, 1)) - 1)
        FROM number WHERE digits < 16
    )
  SELECT id, dev_eui, identity, frames, noticed_ms, last_ms, coalesce(heard, 0)
    FROM one JOIN number USING (dev_eui) WHERE digits = 16;
INSERT INTO ear SELECT name, last_ms, frames FROM heard WHERE role = 'radio_gateway';

DROP TABLE identity;
DROP TABLE frames;
DROP TABLE heard;

CREATE INDEX device_noticed ON device (noticed_ms) WHERE noticed_ms IS NOT NULL;

CREATE VIEW heard AS
  SELECT 'device' AS role, dev_eui AS name, last_ms, heard AS frames
    FROM device WHERE last_ms IS NOT NULL
  UNION ALL SELECT 'radio_gateway', gateway_id, last_ms, frames FROM ear;
CREATE VIEW frames AS
  SELECT dev_eui, frames AS state, noticed_ms FROM device WHERE frames IS NOT NULL;

-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- The usual frames of each batch (usual_frame.py), until they are in their devices' rows. The last
-- row stays, so that no number comes twice.
CREATE TABLE journal (id INTEGER PRIMARY KEY, records BLOB NOT NULL);

-- Rows of the journal up to this one are in this row, and those after it are not.
ALTER TABLE device ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;

-- The usual frames of a device and their readings, some to a row; all others are in seen.
CREATE TABLE usual (
  device INTEGER NOT NULL, -- its id
  seq_last INTEGER NOT NULL,
  seq_first INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL, -- when the newest of them was heard
  records BLOB NOT NULL, -- usual_frame.py
  PRIMARY KEY (device, seq_last)
) WITHOUT ROWID;

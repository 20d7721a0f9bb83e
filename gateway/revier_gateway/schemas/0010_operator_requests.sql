-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- What an operator asked of the running gateway, and what became of it.
CREATE TABLE operator_requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  room TEXT NOT NULL, -- who is to answer: quarantine, commands
  at TEXT NOT NULL,
  by TEXT NOT NULL, -- name of the operator's account on this machine
  request TEXT NOT NULL, -- JSON
  answer TEXT -- JSON; NULL until it is done
);
CREATE INDEX operator_requests_open ON operator_requests (room, id) WHERE answer IS NULL;

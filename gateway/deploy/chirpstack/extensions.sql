-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- What ChirpStack asks of a new PostgreSQL database.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS hstore;

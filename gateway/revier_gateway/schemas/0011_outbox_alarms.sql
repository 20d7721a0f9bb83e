-- SPDX-FileCopyrightText: 2026 The Revier authors
-- SPDX-License-Identifier: EUPL-1.2
-- Alarms are few; after an outage they go before a million readings.
CREATE INDEX outbox_alarms ON outbox (id) WHERE kind = 'alarm';

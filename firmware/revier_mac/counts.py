# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What Device.counts counts: one byte for each thing that went wrong; 255 means 255 or more."""

JOIN_SILENT = 0  # a join request without an accept
JOIN_REPLAYED = 1  # an accept with the last one's JoinNonce
NOT_OURS = 2  # a frame in a window: another's, or not of a downlink's shape
MIC_WRONG = 3  # our address, wrong MIC; a replay looks like this
OVERSIZED = 4  # longer than its data rate may carry
DOWNLINK_LOST = 5  # gaps of FCntDown: what the network sent and we did not hear
UNACKNOWLEDGED = 6  # confirmed, and no ACK after NbTrans
COMMAND_UNKNOWN = 7  # MAC commands that were not understood, or were cut
COMMAND_REFUSED = 8  # answered with a status that is not all ones
DUTY = 9  # put off by the duty cycle
ABORTED = 10  # the radio failed
COUNTS = 11

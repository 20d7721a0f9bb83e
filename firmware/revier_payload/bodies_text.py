# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What follows a message's fields, in words for the page: no table of the schema says it."""

BODIES = {
    "batch": """
**The block** follows the fields without a gap. Channels come in the order of the flags of
`channels`, each only if its flag is set; their codes are those of the fields of fPort 10 (and
for `co2` 9 bits in steps of 10 ppm). For each channel:

1. *Gaps*, only if `gaps` is set: one bit, 1 if every sample is valid. Else for each sample a 1
   if it is valid, or 0 and one more bit: 0 missing, 1 out of range. Only valid samples follow.
2. *Coarseness*: with n channels each has lost `level` / n (rounded down) low bits; the first
   `level` mod n of them in the order pm4, pm1, pm10, pm25, co2, nox, voc, humidity, temperature,
   pressure have lost one more; a channel keeps two bits at least. Codes are rounded. Level 61 is
   the last: nothing is lost, but every sample is the mean.
3. *By the neighbour*: one bit, only for pm25, pm4 and pm10, if the channel before it in that row
   of sizes is sent and neither has gaps. 1: what follows is the difference to the neighbour's
   sample (its coarse code in this channel's steps), and the first of these is a difference to
   zero.
4. *k*, 3 bits, Rice's parameter; 7 says that all differences are zero and none follows.
5. *The first sample*, in as many bits as the code keeps, unless it is told by the neighbour.
6. *Differences* of each sample to the one before, folded (0 -1 1 -2 2 are 0 1 2 3 4): the upper
   bits as so many ones and a zero, then the lower k bits; twelve ones are followed by the folded
   difference in 10 bits.

After the last channel the byte is filled. If then as many bytes follow as these take, they are
**the means of the block before**, the one whose last sample has the sequence `seq` - 1: 4 bits,
how many samples it had, then for each channel of this block the mean of its codes without the
two low bits, all ones for none. A sender adds them only where they cost no airtime.
""",
    "records": """
**Records**: the first is `size` bytes, the payload of a message of fPort `port` as it was or
would have been sent alone. Each further record is one byte, the distance of its sequence to the
record before; two bytes, seconds after the record before (65535: unknown); and its payload. The
low bits in a payload's `seq` are those of the record's sequence.
""",
    "settings": """
**Settings**: three bytes each, the setting's number and its value in two; at most 16. The node
takes all of them over, or, if one is not its own, out of bounds or there twice, none; it answers
on fPort 3. `mode` keep leaves the settings that are not named as they are; default takes them back
to what the node was made with. Hashes are CRC-16/CCITT-FALSE modulo 65534: `request_hash` over the
downlink, `config_hash` over all settings that were set, by number, three bytes each.

Settings are in force from the next wake on, and on trial until a wake with them has ended well.
After three starts that did not, the settings before are back, and the diagnosis says so
(`settings_reverted`). The first wake with other settings begins with a diagnosis.

In `encodeDownlink` and for `revier-provision settings` a setting has its name; one with names for
its values takes the name or the number.
""",
    "ranges": """
The two fields are repeated for each **range** of consecutive sequences; at most 8.
""",
}

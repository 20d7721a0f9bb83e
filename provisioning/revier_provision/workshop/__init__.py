# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A workshop: what its site file says, and how a board from the box becomes a proven node.

    with Workshop.open(site) as workshop:
        made = make_node(workshop, Wanted(port="/dev/ttyUSB0"), on_step=print)

`on_step` hears a StepEvent when a step begins, goes on, is done, is skipped or fails: terminal,
batch and station show the same stream.
"""

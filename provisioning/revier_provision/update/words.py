# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a board says of an update (docs/protocol/update.md), for people."""

from __future__ import annotations

from revier_inventory.message import Message, _, verbatim
from revier_provision.errors import BoardError, OrderError, ProvisionError

AGAIN = _("Run again: what is missing or wrong there is sent anew")
DIRECTLY = _("Put this firmware on the board directly, with: revier-provision upload")
# what the board refuses before anything of it is executed -> problem, cure
REFUSALS = {
    "no_slot": (_("The board runs its application from no slot"), DIRECTLY),
    "running": (_("The slot is the one that runs"), AGAIN),
    "no_trial": (_("The board's boot.py cannot try an update"), DIRECTLY),
    "no_manifest": (_("The manifest is not on the board"), AGAIN),
    "no_key": (
        _("The board has no key to check updates with"),
        _("Give it one with: revier-provision firmware trust"),
    ),
    "format": (_("The manifest is of a form that the board does not know"), DIRECTLY),
    "signature": (
        _("The board does not trust the key that signed this firmware"),
        _(
            "Sign it with the key whose .pub the board has, "
            "or give the board the new one with: revier-provision firmware trust"
        ),
    ),
    "target": (_("The firmware is for another chip"), _("Use the firmware for this board's chip")),
    "mpy": (
        _("The board's MicroPython reads another bytecode than this firmware has"),
        _("Build the firmware for it, or put the MicroPython that it needs on the board"),
    ),
    "version": (
        _("The board runs a higher version"),
        _("To go back on purpose, sign the firmware with: firmware sign --may-go-back"),
    ),
    "from_version": (
        _("The board's version is too old for this update"),
        _("Update to a version between first, or put this one on the board directly"),
    ),
    "files": (_("The files on the board are not those that were signed"), AGAIN),
}
# docs/protocol/console.md
ERRORS = (
    _("none"),
    _("an error of its own"),
    "UnprovisionedError",
    "RadioError",
    "BoardError",
    "ImportError",
    "MemoryError",
    "OSError",
    "ProtocolError",
    _("an application that returned"),
)
SILENT = _("no acknowledged uplink within 6 hours: it did not join, or nobody answered")
RESTARTS = _("three starts did not come to an end: it hung, or its supply failed")


def refusal(reason: str) -> ProvisionError:
    """The error of a `result=refused` line."""
    if reason not in REFUSALS:
        cure = (
            "Use revier-provision of the firmware's release; the reasons: docs/protocol/update.md"
        )
        return BoardError("The board refuses the update ({reason})", cure, reason=reason)
    problem, cure = REFUSALS[reason]
    return OrderError(problem, cure)


def why_taken_back(reason: str) -> Message:
    """Of a `result=rolled_back` line, as the end of a sentence."""
    kind, _dash, what = reason.partition("_")
    if kind == "selftest":
        return _("the self-test found {what} missing or faulty", what=what)
    if kind == "error" and what.isdigit():
        name = ERRORS[int(what)] if int(what) < len(ERRORS) else f"error {what}"
        return _("three starts broke off, the last with {name}", name=name)
    return {"silent": SILENT, "restarts": RESTARTS}.get(reason) or verbatim(reason)

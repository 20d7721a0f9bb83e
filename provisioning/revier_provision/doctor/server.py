# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Checks of ChirpStack: reachable, the token's rights, the device profiles, the clock."""

from __future__ import annotations

from typing import Literal

import msgspec

from revier_inventory.message import Message, _, joined
from revier_inventory.model import Kind
from revier_provision.doctor.findings import Checked, bad, ok, skipped, warn
from revier_provision.labels.tr005 import VENDOR_ID_NONE, VENDOR_PROFILE_BY_KIND
from revier_provision.lns.vendor_profiles import NAME_BY_KIND

CLOCK_OFF_WARN_S = 5.0
CLOCK_OFF_BAD_S = 60.0
_KEY_CURE = _(
    "Make an API key in ChirpStack (Network Server, API keys; or Tenant, API keys) and "
    "store it in the token file, chmod 600"
)
_WRITE_CURE = _('Make an API key without "read only" and store it in the token file')

_IMPORT_CURE = _(
    "If labels are to be scanned there: revier-provision device-profiles --out FOLDER, and import "
    "it on ChirpStack's host; else choose the profile by hand"
)

Failure = Literal["unreachable", "tls", "token", "other"]


class ProfileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a device profile says, in ChirpStack's words."""

    name: str
    region: str
    mac_version: str
    supports_otaa: bool
    codec_is_js: bool
    codec: str


class TenantFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An owner's tenant. `profiles`: by kind, None where there is none yet."""

    ags: str
    name: str
    tenant_id: str | None
    readable: bool = False
    writable: bool = False
    profiles: dict[str, ProfileFacts | None] = {}


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`failure`: why nothing more could be asked, with ChirpStack's or TLS's own `details`.

    `is_admin`: the key may see every tenant. `clock_off_s`: ChirpStack's clock minus ours.
    `numbered`: the profiles behind the labels' numbers, by kind; None: ChirpStack cannot say.
    """

    target: str
    tls: bool
    failure: Failure | None = None
    details: str = ""
    is_admin: bool = False
    tenants: tuple[TenantFacts, ...] = ()
    clock_off_s: float | None = None
    numbered: dict[Kind, ProfileFacts | None] | None = None


def server_checks(
    facts: ServerFacts | None, codec: str, vendor_id: str = VENDOR_ID_NONE
) -> list[Checked]:
    """`codec`: the JavaScript that profiles should have. `vendor_id`: the labels'."""
    if facts is None:
        cure = _("Give --server and --token-file")
        return [skipped("chirpstack", _("ChirpStack was not looked at"), cure)]
    reached = reach(facts)
    if reached.state == "bad":
        return [reached]
    found = [reached, server_clock(facts), token(facts)]
    if facts.failure is not None:
        return found
    for tenant in facts.tenants:
        found.append(rights(tenant, facts.is_admin))
        if tenant.readable:
            found += [profile(tenant, kind, codec) for kind in sorted(tenant.profiles)]
    if not facts.tenants:
        cure = _("Give --inventory with owners.toml: then each owner's tenant is looked at")
        found.append(skipped("rights", _("no owner's tenant was looked at"), cure))
    return [*found, label_number(facts, codec, vendor_id)]


def reach(facts: ServerFacts) -> Checked:
    if facts.failure == "unreachable":
        cure = _("Check --server, that ChirpStack runs, the network and the firewall")
        return bad(
            "chirpstack",
            _("{target} does not answer ({details})", target=facts.target, details=facts.details),
            cure,
        )
    if facts.failure == "tls":
        cure = _(
            "Give https://host:port only where ChirpStack or its proxy speaks TLS, by the name "
            "in its certificate; --tls-roots for an own CA"
        )
        return bad(
            "chirpstack",
            _("no TLS with {target} ({details})", target=facts.target, details=facts.details),
            cure,
        )
    how = _("with TLS") if facts.tls else _("on this machine, without TLS")
    return ok("chirpstack", _("{target} answers {how}", target=facts.target, how=how))


def server_clock(facts: ServerFacts) -> Checked:
    off_s = facts.clock_off_s
    if off_s is None:
        cure = _("Compare by hand: run date there and here")
        return skipped("server-clock", _("ChirpStack did not say its time"), cure)
    what = _("ChirpStack's clock differs from this machine's by {off_s:+.0f} s", off_s=off_s)
    cure = _("Set both clocks: timedatectl set-ntp true")
    if abs(off_s) > CLOCK_OFF_BAD_S:
        return bad("server-clock", what, cure)
    if abs(off_s) > CLOCK_OFF_WARN_S:
        return warn("server-clock", what, cure)
    return ok("server-clock", what)


def token(facts: ServerFacts) -> Checked:
    if facts.failure == "token":
        what = _("the API key is not one of this ChirpStack ({details})", details=facts.details)
        return bad("token", what, _KEY_CURE)
    if facts.failure == "other":
        return bad(
            "token", _("ChirpStack refused to answer ({details})", details=facts.details), _KEY_CURE
        )
    if facts.is_admin:
        what = _("the API key is valid for all tenants")
        cure = _("For one municipality's workbench make a key of its tenant: it can spoil less")
        return warn("token", what, cure) if len(facts.tenants) == 1 else ok("token", what)
    if facts.tenants and not any(tenant.readable for tenant in facts.tenants):
        what = _("the API key is deleted in ChirpStack, or of a tenant that is not in owners.toml")
        return bad("token", what, _KEY_CURE)
    return ok("token", _("the API key is one of a tenant"))


def rights(tenant: TenantFacts, is_admin: bool) -> Checked:
    who = f"{tenant.name} ({tenant.ags})"
    if tenant.tenant_id is None:
        if is_admin:
            return ok("rights", _("{who} has no tenant yet; the first node makes it", who=who))
        cure = _(
            "Make the tenant in ChirpStack and write its id into owners.toml (tenant_ids), or "
            "use an API key for all tenants"
        )
        return bad(
            "rights",
            _("{who} has no tenant in owners.toml, and the key cannot look", who=who),
            cure,
        )
    if not tenant.readable:
        what = _(
            "the API key may not see the tenant {tenant_id} of {who}",
            tenant_id=tenant.tenant_id,
            who=who,
        )
        return bad("rights", what, _KEY_CURE)
    if not tenant.writable:
        return bad(
            "rights",
            _("the API key can only read at {who}: no node can be made", who=who),
            _WRITE_CURE,
        )
    return ok(
        "rights", _("the API key may make applications, profiles and devices at {who}", who=who)
    )


def profile(tenant: TenantFacts, kind: str, codec: str) -> Checked:
    name, facts = f"revier-{kind}", tenant.profiles[kind]
    where = _("device profile {name} of {tenant}", name=name, tenant=tenant.name)
    if facts is None:
        return ok(
            "profile",
            _("{where} is not there yet; the first {kind} node makes it", where=where, kind=kind),
        )
    wrong = profile_faults(facts, codec)
    if wrong:
        cure = _("Make or register the next node of this kind: that corrects it")
        return bad("profile", joined(": ", [where, joined(", ", wrong)]), cure)
    return ok("profile", _("{where} is right", where=where))


def label_number(facts: ServerFacts, codec: str, vendor_id: str) -> Checked:
    """Whether ChirpStack's page finds the profile of a label that is scanned there."""
    if facts.numbered is None:
        what = _("this ChirpStack finds no profile by a label's number (4.16 and newer can)")
        cure = _("Choose the profile by hand when a label is scanned")
        return skipped("label-number", what, cure)
    wrong = []
    for kind, found in facts.numbered.items():
        number = f"{vendor_id}{VENDOR_PROFILE_BY_KIND[kind]:04X} ({kind})"
        if found is None:
            wrong.append(_("{number} is not imported", number=number))
        elif found.name != NAME_BY_KIND[kind]:
            wrong.append(_("{number} leads to {name!r}", number=number, name=found.name))
        else:
            wrong += [joined(": ", [number, fault]) for fault in profile_faults(found, codec)]
    if not wrong:
        what = _("a label scanned in ChirpStack's page finds its profile")
        return ok("label-number", what)
    what = _(
        "a label scanned in ChirpStack's page misses its profile: {wrong}",
        wrong=joined("; ", wrong),
    )
    none_yet = not any(facts.numbered.values())
    if none_yet and vendor_id == VENDOR_ID_NONE:
        return skipped("label-number", what, _IMPORT_CURE)
    return warn("label-number", what, _IMPORT_CURE)


def profile_faults(facts: ProfileFacts, codec: str) -> list[Message]:
    """What would keep a node from joining, or its readings from being decoded."""
    wrong = []
    if facts.region != "EU868":
        wrong.append(_("region is {region}, not EU868", region=facts.region))
    if facts.mac_version != "LORAWAN_1_0_4":
        wrong.append(
            _("MAC version is {mac_version}, not LORAWAN_1_0_4", mac_version=facts.mac_version)
        )
    if not facts.supports_otaa:
        wrong.append(_("OTAA is off"))
    if not facts.codec_is_js:
        wrong.append(_("it has no JavaScript codec"))
    elif facts.codec.strip() != codec.strip():
        wrong.append(_("its codec is not the one of this version of Revier"))
    return wrong

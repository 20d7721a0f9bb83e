# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Whether this machine and its ChirpStack are ready for making nodes, and what cures what is not.

Probes look (thin, with side effects on nothing), checks judge (pure, on what the probes saw).
"""

from revier_provision.doctor.findings import Checked, worst
from revier_provision.doctor.machine import MachineFacts, PortFacts, UsbFacts, machine_checks
from revier_provision.doctor.server import (
    ProfileFacts,
    ServerFacts,
    TenantFacts,
    server_checks,
)

__all__ = [
    "Checked",
    "MachineFacts",
    "PortFacts",
    "ProfileFacts",
    "ServerFacts",
    "TenantFacts",
    "UsbFacts",
    "machine_checks",
    "server_checks",
    "worst",
]

# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a site file to a bench on which nodes are made."""

from __future__ import annotations

import getpass
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyrage

from revier_provision.books import Books
from revier_provision.errors import OrderError
from revier_provision.flow import Entropy
from revier_provision.ledger.files import LedgerFolder, machine_name
from revier_provision.lns.reach import connected
from revier_provision.vault import vault
from revier_provision.vault.private_file import private_bytes
from revier_provision.workshop.assets import Ask, AssetDesk, take_proposal
from revier_provision.workshop.make_node import Bench
from revier_provision.workshop.site_file import Site
from revier_provision.workshop.table import Table

Passphrase = Callable[[], str]


@contextmanager
def open_bench(
    site: Site,
    table: Table,
    *,
    by: str | None = None,
    ask: Ask = take_proposal,
    only: Sequence[str] = (),
    passphrase: Passphrase | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> Iterator[Bench]:
    """What all nodes of one run share. `passphrase` is asked for if the vault's identity needs it;
    without it such a vault stays shut, and a board whose key only the vault has gets a new one.

    Raises ProvisionError.
    """
    with connected(site.server, site.token_file, site.tls_roots, site.codec) as network_server:
        yield Bench(
            site=site,
            table=table,
            books=open_books(site, by, passphrase),
            desk=AssetDesk(ask, only),
            network_server=network_server,
            entropy=entropy,
            shared=threading.Lock(),
        )


def open_books(site: Site, by: str | None, passphrase: Passphrase | None = None) -> Books:
    """Ledger and vault of the site."""
    ledger = LedgerFolder(site.ledger, site.station or machine_name(), by or getpass.getuser())
    kept = vault.Vault(site.vault) if site.vault else None
    return Books(ledger, kept, vault_identity(site, passphrase))


def vault_identity(site: Site, passphrase: Passphrase | None) -> pyrage.x25519.Identity | None:
    """What opens the site's vault, if the site has it and it can be opened here."""
    if site.vault is None or site.identity_file is None:
        return None
    data = private_bytes(site.identity_file)
    if not vault.needs_passphrase(data):
        return vault.open_identity(data, None)
    if passphrase is None:
        return None
    words = passphrase()
    if not words:
        raise OrderError("No passphrase was given", "Run again and type the vault's passphrase")
    return vault.open_identity(data, words)

# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who may log in at the station: a file of names, roles and Argon2id hashes (RFC 9106)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args

import argon2
import msgspec

from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_read

Role = Literal["technician", "installer"]
ROLES: tuple[Role, ...] = get_args(Role)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}\Z")
PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 200
USERS_MAX = 500

HASHER = argon2.PasswordHasher()  # argon2-cffi's defaults: RFC 9106's second choice, 64 MiB
NOBODY = HASHER.hash("nobody has this password")  # so that an unknown name takes as long


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Role
    hash: str


class Users:
    """The file; it is read anew at each login, so that a user who was removed is out at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, password: str, role: Role) -> None:
        """Add the user, or give the one of this name another password and role."""
        if not NAME.match(name):
            cure = "Use at most 32 of a-z, 0-9 and . _ -"
            raise OrderError("The user's name {name!r} is not of the right form", cure, name=name)
        if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
            cure = "Choose {least} to {most} characters"
            raise OrderError(
                "The password is too short or too long",
                cure,
                least=PASSWORD_CHARS_MIN,
                most=PASSWORD_CHARS_MAX,
            )
        users = self.all()
        if len(users) >= USERS_MAX and name not in users:
            raise OrderError(
                "There are {most} users",
                "Remove those who have left: revier-provision station user remove NAME",
                most=USERS_MAX,
            )
        users[name] = User(role=role, hash=HASHER.hash(password))
        self._write(users)

    def remove(self, name: str) -> None:
        users = self.all()
        if users.pop(name, None) is None:
            raise OrderError(
                "There is no user {name!r}",
                "See the names with: revier-provision station user list",
                name=name,
            )
        self._write(users)

    def all(self) -> dict[str, User]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            cure = _("Make it readable for this user (chmod, chown)")
            raise cannot_read(self._path, error, cure) from error
        try:
            return msgspec.json.decode(data, type=dict[str, User])
        except msgspec.DecodeError as error:
            problem = "{path} is not as the station wrote it: {error}"
            raise OrderError(
                problem,
                "Delete the file, then: revier-provision station user add NAME --role installer",
                path=self._path,
                error=str(error),
            ) from None

    def role(self, name: str) -> Role | None:
        user = self.all().get(name)
        return user.role if user else None

    def login(self, name: str, password: str) -> Role | None:
        """The user's role; None if name or password is wrong. Takes as long either way."""
        user = self.all().get(name)
        try:
            HASHER.verify(user.hash if user else NOBODY, password[:PASSWORD_CHARS_MAX])
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return None
        return user.role if user else None

    def _write(self, users: dict[str, User]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        durable_files.replace(self._path, msgspec.json.encode(users, order="sorted"))
        self._path.chmod(0o600)
        self._path.parent.chmod(0o700)

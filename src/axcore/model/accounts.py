"""Accounts and roles (viewer < operator < admin)."""

from __future__ import annotations

import enum

import msgspec


class Role(enum.IntEnum):
    """Least role a route asks for; ANONYMOUS needs no account."""

    ANONYMOUS = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A stored account. Passwords are kept as a scrypt hash (Basic) and as HA1 per digest algorithm."""

    name: str
    role: Role
    ptz: bool = False
    comment: str = ""
    scrypt: str
    ha1_md5: str
    ha1_sha256: str


class Identity(msgspec.Struct, frozen=True):
    """Who makes a request."""

    name: str
    role: Role
    address: str = ""

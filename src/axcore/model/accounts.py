"""Accounts and roles (viewer < operator < admin; manual: System > Accounts)."""

from __future__ import annotations

import enum
import re

import msgspec

from axcore.errors import InputError

MAX_ACCOUNTS = 100
MAX_NAME = 14
MAX_PASSWORD = 64
MAX_COMMENT = 128
_NAME = re.compile(r"[A-Za-z0-9]{1,14}", re.ASCII)


class Role(enum.IntEnum):
    """Least role a route asks for; ANONYMOUS needs no account."""

    ANONYMOUS = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A stored account. Kept are a scrypt hash (Basic) and HA1 per digest algorithm, no password."""

    name: str
    role: Role
    ptz: bool = False
    comment: str = ""
    scrypt: str
    ha1_md5: str
    ha1_sha256: str


def check_name(name: str) -> str:
    """``name`` if an account may be called so: 1-14 characters a-z A-Z 0-9. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError("user", f"an account name has 1-{MAX_NAME} characters a-z, A-Z, 0-9")
    return name


def check_password(password: str) -> str:
    """``password`` if it has 1-64 printable ASCII characters (codes 32-126). Raises InputError, never repeating it."""
    if not 1 <= len(password) <= MAX_PASSWORD or any(not 32 <= ord(c) <= 126 for c in password):
        raise InputError("pwd", f"a password has 1-{MAX_PASSWORD} printable ASCII characters")
    return password


def check_comment(comment: str) -> str:
    """``comment`` if it is one line of at most 128 printable characters. Raises InputError."""
    if len(comment) > MAX_COMMENT or not comment.isprintable():
        raise InputError("comment", f"a comment is one line of at most {MAX_COMMENT} printable characters")
    return comment


class Identity(msgspec.Struct, frozen=True):
    """Who makes a request."""

    name: str
    role: Role
    address: str = ""

"""The accounts of the device (manual: System > Accounts; VAPIX user management).

There is no default account: until an administrator exists, ``needs_setup`` is true and nothing else answers. At most
100 accounts; the last administrator can be neither removed nor demoted, and ``root`` cannot be removed.

Threads: methods with ``tx`` are ledger jobs; everything else reads an immutable snapshot and may be called anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from axcore.errors import ConflictError, LimitError, NotFoundError
from axcore.model.accounts import MAX_ACCOUNTS, Account, Role, check_comment, check_name
from axcore.services.stored import changed

from .passwords import NOBODY, Secrets, derive, verify

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND: Final = "account"
Algorithm = Literal["MD5", "SHA-256"]


class AccountService:
    """Owns the accounts. ``realm`` gives the digest realm; HA1 values are bound to it, so it must never change."""

    def __init__(self, realm: Callable[[], str]) -> None:
        self._realm = realm
        self._accounts: Mapping[str, Account] = MappingProxyType({})
        self.generation = 0
        """Rises with every change: caches of verified logins are good for one generation."""

    def load(self, tx: Transaction) -> None:
        """Read the accounts: at start, and after a failed commit."""
        self._show(_read(tx))

    @property
    def realm(self) -> str:
        """Digest realm."""
        return self._realm()

    # --- snapshots ---------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        return tuple(self._accounts[name] for name in sorted(self._accounts))

    def get(self, name: str) -> Account | None:
        return self._accounts.get(name)

    @property
    def needs_setup(self) -> bool:
        """No administrator exists yet."""
        return not any(account.role is Role.ADMIN for account in self._accounts.values())

    # --- passwords ---------------------------------------------------------------------------------------------------

    def derive(self, name: str, password: str) -> Secrets:
        """What to store of a password (slow: worker thread). Check both values first."""
        return derive(self.realm, name, password)

    def verify_basic(self, name: str, password: str) -> Role | None:
        """The role of the account if the password is right (slow: worker thread), as slow for unknown names."""
        account = self._accounts.get(name)
        right = verify(account.scrypt if account else NOBODY.scrypt, password)
        return account.role if account and right else None

    def ha1(self, name: str, algorithm: Algorithm) -> str:
        """Hex HA1 of an account; of nobody if there is none (no response fits it)."""
        account = self._accounts.get(name) or NOBODY
        return account.ha1_md5 if algorithm == "MD5" else account.ha1_sha256

    # --- jobs --------------------------------------------------------------------------------------------------------

    def add(
        self,
        tx: Transaction,
        name: str,
        secrets: Secrets,
        role: Role,
        *,
        ptz: bool = False,
        comment: str = "",
    ) -> Account:
        """Create an account. Raises InputError, ConflictError (name taken), LimitError (100 accounts).

        The first account must be an administrator.
        """
        check_name(name)
        check_comment(comment)
        known = _read(tx)
        if name in known:
            raise ConflictError("user", "this user name already exists")
        if len(known) >= MAX_ACCOUNTS:
            raise LimitError("user", f"there are {MAX_ACCOUNTS} accounts, which is the maximum")
        if role is not Role.ADMIN and not any(account.role is Role.ADMIN for account in known.values()):
            raise ConflictError("sgrp", "the first account must be an administrator")
        account = Account(
            name=name,
            role=role,
            ptz=ptz,
            comment=comment,
            scrypt=secrets.scrypt,
            ha1_md5=secrets.ha1_md5,
            ha1_sha256=secrets.ha1_sha256,
        )
        self._store(tx, account, "add")
        return account

    def update(
        self,
        tx: Transaction,
        name: str,
        *,
        secrets: Secrets | None = None,
        role: Role | None = None,
        ptz: bool | None = None,
        comment: str | None = None,
    ) -> Account:
        """Change what is given. Raises NotFoundError, InputError, ConflictError (the last administrator)."""
        known = _read(tx)
        account = _existing(known, name)
        if role is not None and role is not Role.ADMIN:
            _keep_admin(known, account)
        if comment is not None:
            check_comment(comment)
        patch: dict[str, object] = {"role": role, "ptz": ptz, "comment": comment}
        if secrets is not None:
            patch |= msgspec.structs.asdict(secrets)
        changed = {key: value for key, value in patch.items() if value is not None}
        account = msgspec.structs.replace(account, **changed)
        self._store(tx, account, "update")
        return account

    def remove(self, tx: Transaction, name: str) -> None:
        """Delete an account. Raises NotFoundError, ConflictError (``root``, the last administrator)."""
        known = _read(tx)
        account = _existing(known, name)
        _keep_admin(known, account)
        if name == "root":
            raise ConflictError("user", "the root account cannot be removed")
        tx.delete(KIND, name)
        _tell(tx, name, "remove")
        del known[name]
        tx.after_commit(lambda: self._show(known))

    def _store(self, tx: Transaction, account: Account, action: str) -> None:
        tx.put(KIND, account.name, msgspec.json.encode(account))
        _tell(tx, account.name, action)
        known = _read(tx)
        tx.after_commit(lambda: self._show(known))

    def _show(self, accounts: dict[str, Account]) -> None:
        self._accounts = MappingProxyType(accounts)
        self.generation += 1


def _read(tx: Transaction) -> dict[str, Account]:
    return {key: msgspec.json.decode(value, type=Account) for key, value in tx.items(KIND)}


def _existing(known: Mapping[str, Account], name: str) -> Account:
    account = known.get(name)
    if account is None:
        raise NotFoundError("user", "there is no such user")
    return account


def _keep_admin(known: Mapping[str, Account], account: Account) -> None:
    admins = [other for other in known.values() if other.role is Role.ADMIN]
    if admins == [account]:
        raise ConflictError("user", "the last administrator must remain")


def _tell(tx: Transaction, name: str, action: str) -> None:
    tx.publish(changed("account", name, action, tx.actor))

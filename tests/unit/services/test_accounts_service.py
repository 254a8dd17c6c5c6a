"""Accounts without HTTP."""

from __future__ import annotations

import pytest

from axcore.errors import ConflictError, NotFoundError, StoreError
from axcore.model.accounts import Account, Role
from axcore.services.accounts import AccountService, Secrets, verify
from axcore.testing import MemoryLedger, MemoryStore

SECRETS = Secrets(scrypt="scrypt$14$8$1$AAAA$AAAA", ha1_md5="a", ha1_sha256="b")


def make(store: MemoryStore | None = None) -> tuple[MemoryLedger, AccountService]:
    ledger = MemoryLedger(store=store)
    accounts = AccountService(lambda: "AXIS_X")
    ledger.load(accounts.load)
    return ledger, accounts


def add(ledger: MemoryLedger, accounts: AccountService, name: str, role: Role = Role.ADMIN) -> Account:
    return ledger.do(lambda tx: accounts.add(tx, name, SECRETS, role))


def test_accounts_survive_a_restart() -> None:
    ledger, accounts = make()
    add(ledger, accounts, "root")
    _, again = make(ledger.store)
    assert again.accounts() == accounts.accounts()
    assert not again.needs_setup


def test_a_failed_commit_adds_nobody() -> None:
    ledger, accounts = make()
    ledger.store.broken = "disk is full"
    with pytest.raises(StoreError):
        add(ledger, accounts, "root")
    assert accounts.needs_setup
    ledger.store.broken = None
    add(ledger, accounts, "root")
    assert not accounts.needs_setup


def test_two_jobs_of_one_commit_see_each_other() -> None:
    ledger, accounts = make()

    def both(tx: object) -> None:
        accounts.add(tx, "a", SECRETS, Role.ADMIN)  # type: ignore[arg-type]
        with pytest.raises(ConflictError):
            accounts.add(tx, "a", SECRETS, Role.ADMIN)  # type: ignore[arg-type]
        accounts.add(tx, "b", SECRETS, Role.ADMIN)  # type: ignore[arg-type]
        accounts.remove(tx, "a")  # type: ignore[arg-type]
        with pytest.raises(ConflictError, match="last administrator"):
            accounts.remove(tx, "b")  # type: ignore[arg-type]

    ledger.do(both)
    assert [account.name for account in accounts.accounts()] == ["b"]


def test_passwords() -> None:
    ledger, accounts = make()
    secrets = accounts.derive("root", "p:ä")
    assert verify(secrets.scrypt, "p:ä")
    assert not verify(secrets.scrypt, "p")
    assert "scrypt" not in repr(secrets)
    ledger.do(lambda tx: accounts.add(tx, "root", secrets, Role.ADMIN))
    assert accounts.verify_basic("root", "p:ä") is Role.ADMIN
    assert accounts.verify_basic("root", "x") is None
    assert accounts.verify_basic("nobody", "x") is None
    assert accounts.ha1("nobody", "MD5") == "0" * 32
    assert len(accounts.ha1("root", "SHA-256")) == 64
    with pytest.raises(NotFoundError):
        ledger.do(lambda tx: accounts.update(tx, "nobody", ptz=True))
    generation = accounts.generation
    assert ledger.do(lambda tx: accounts.update(tx, "root", ptz=True, comment="c")).ptz
    assert accounts.generation == generation + 1

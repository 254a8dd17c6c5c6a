"""Seed 001, SIP > DTMF and Accounts: sequences and protocols of accounts, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from intercom_bench import IntercomBench

from axcore.errors import ConflictError
from axcore.model import events
from axcore.model.intercom import DtmfSequenceSpec, SipAccountSpec
from axcore.model.voice import Digit

REGISTERED: dict[str, Any] = {"kind": "registered", "user_id": "door", "registrar": "a.example", "password": "x"}


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


def account(bench: IntercomBench, name: str, **more: Any) -> str:
    spec = SipAccountSpec(name=name, **more)
    return str(bench.do(lambda tx: bench.intercom.accounts.add_account(tx, spec)).id)


def sequence(bench: IntercomBench, keys: str, *accounts: str) -> str:
    spec = DtmfSequenceSpec(sequence=keys, description=keys, accounts=accounts)
    return str(bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec)).id)


def ways(bench: IntercomBench) -> dict[str, tuple[bool, bool]]:
    return {one.name: (one.rtp_keys, one.info_keys) for one in bench.intercom.accounts.accounts.values()}


class TestSequences:
    def test_select_the_accounts_that_will_use_the_dtmf_sequence(self, bench: IntercomBench) -> None:
        pbx, other = account(bench, "PBX", **REGISTERED), account(bench, "Other", **REGISTERED)
        key = sequence(bench, "1", pbx)
        assert bench.intercom.accounts.keys_of(pbx) == {"1": key}
        assert bench.intercom.accounts.keys_of(other) == {}
        assert bench.intercom.accounts.keys_of("peer-to-peer") == {}
        second = sequence(bench, "1", other)  # the same keys mean something else there
        assert bench.intercom.accounts.keys_of(other) == {"1": second}

    def test_all_peer_to_peer_accounts_will_share_the_same_dtmf_sequence(self, bench: IntercomBench) -> None:
        lan, pbx = account(bench, "LAN"), account(bench, "PBX", **REGISTERED)
        key = sequence(bench, "5", "peer-to-peer")
        assert bench.intercom.accounts.keys_of(lan) == {"5": key}
        assert bench.intercom.accounts.keys_of(pbx) == {}
        with pytest.raises(ConflictError, match="sequence"):
            sequence(bench, "5", lan)
        call = bench.do(lambda tx: bench.intercom.call(tx, "sip:ada@10.0.0.2", lan)).id
        bench.answer(f"{call}.0", 1)
        bench.report(1, Digit(leg=f"{call}.0", digit="5"))
        assert [event.data["DTMFEventId"] for event in bench.told(events.CALL_DTMF)] == [key]


class TestProtocols:
    def test_all_peer_to_peer_accounts_share_the_same_protocol_settings(self, bench: IntercomBench) -> None:
        account(bench, "PBX", **REGISTERED, info_keys=False)
        lan = account(bench, "LAN", rtp_keys=False)
        assert ways(bench) == {"Peer-to-peer": (False, True), "PBX": (True, False), "LAN": (False, True)}
        patch = {"rtp_keys": True, "info_keys": False}
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, "peer-to-peer", patch))
        assert ways(bench)["LAN"] == (True, False)
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, lan, {"name": "House"}))
        assert ways(bench)["House"] == ways(bench)["Peer-to-peer"] == (True, False)
        account(bench, "New")
        assert ways(bench)["New"] == (True, False)

    def test_an_account_that_becomes_peer_to_peer_takes_keys_as_those_do(self, bench: IntercomBench) -> None:
        pbx = account(bench, "PBX", **REGISTERED, info_keys=False)
        bench.do(lambda tx: bench.intercom.accounts.update_account(tx, pbx, {"kind": "peer_to_peer"}))
        assert ways(bench) == {"Peer-to-peer": (True, True), "PBX": (True, True)}


class TestAccounts:
    def test_you_can_delete_it_if_you_create_another_account_and_set_that_as_default(
        self, bench: IntercomBench
    ) -> None:
        accounts = bench.intercom.accounts
        with pytest.raises(ConflictError, match="default"):
            bench.do(lambda tx: accounts.remove_account(tx, "peer-to-peer"))
        other = account(bench, "Other")
        with pytest.raises(ConflictError, match="default"):
            bench.do(lambda tx: accounts.remove_account(tx, "peer-to-peer"))
        bench.do(lambda tx: accounts.make_default(tx, other))
        bench.do(lambda tx: accounts.remove_account(tx, "peer-to-peer"))
        assert list(accounts.accounts) == [other]

    def test_the_default_account_is_used_when_a_call_is_made_without_specifying_which(
        self, bench: IntercomBench
    ) -> None:
        other = account(bench, "Other")
        bench.do(lambda tx: bench.intercom.accounts.make_default(tx, other))
        bench.call()
        assert bench.invites()[-1][1].account == other

    def test_the_name_is_not_unique(self, bench: IntercomBench) -> None:
        assert account(bench, "Same") != account(bench, "Same")

"""Seed 001, SIP > Access list, sentence by sentence. From is what the caller says; the address is where he is."""

from __future__ import annotations

import pytest
from intercom_bench import IntercomBench

from axcore.model.voice import Answer

HERE, PBX, ELSEWHERE = "10.0.0.2:5060", "10.0.0.1:40000", "10.0.0.66:5060"


def asked(policy: str, source: str, caller: str, address: str) -> int:
    """What somebody hears who calls: 180 = he may."""
    bench = IntercomBench()
    listed = {"use_access_list": True, "access_list_policy": policy, "access_list": [source]}
    bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, listed))
    bench.incoming(caller, source=address)
    ((_, answer),) = bench.lines.sent
    assert isinstance(answer, Answer)
    return answer.code


@pytest.mark.parametrize(
    ("source", "caller", "address"),
    [
        ("1001", "sip:1001@pbx.example", PBX),
        ("1001@pbx.example", "sip:1001@pbx.example", PBX),
        ("pbx.example", "sip:1001@pbx.example", PBX),
        ("10.0.0.1", "sip:1001@pbx.example", PBX),
        ("10.0.0.1:5060", "sip:1001@10.0.0.77", PBX),
        ("[2001:db8::1]", "sip:1001@pbx.example", "[2001:DB8:0::1]:5060"),
        ("+46-12345", "tel:+461-23-45", PBX),
    ],
)
def test_type_the_caller_id_or_sip_server_address_of_the_source(source: str, caller: str, address: str) -> None:
    assert asked("allow", source, caller, address) == 180
    assert asked("block", source, caller, address) == 403


@pytest.mark.parametrize(
    ("source", "caller", "address"),
    [
        ("10.0.0.3", "sip:ada@10.0.0.2", HERE),
        ("pbx.example", "sip:ada@10.0.0.2", HERE),
        ("10.0.0.3", "tel:+4612345", HERE),
        ("1001@pbx.example", "sip:1002@pbx.example", PBX),
    ],
)
def test_others_are_not_meant(source: str, caller: str, address: str) -> None:
    assert asked("allow", source, caller, address) == 403
    assert asked("block", source, caller, address) == 180


def test_block_counts_for_both() -> None:
    """ "Block incoming calls from the sources": neither a forged From nor another way is a way round it."""
    assert asked("block", "10.0.0.66", "sip:ada@10.0.0.2", ELSEWHERE) == 403
    assert asked("block", "10.0.0.2", "sip:ada@10.0.0.2", PBX) == 403


def test_allow_counts_for_the_address() -> None:
    """ "Allow incoming calls only from the sources": who only says that he is there is not."""
    assert asked("allow", "10.0.0.2", "sip:ada@10.0.0.2", HERE) == 180
    assert asked("allow", "10.0.0.2", "sip:ada@10.0.0.2", ELSEWHERE) == 403


def test_a_caller_may_be_a_telephone_number() -> None:
    bench = IntercomBench()
    bench.incoming("tel:+46-12345")
    assert bench.lines.sent == [(0, Answer(leg="in1", code=180))]
    assert bench.intercom.calls()[-1].remote_uri == "tel:+4612345"

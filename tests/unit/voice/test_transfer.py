"""What a REFER asks for, read from its text; what is told of many that are refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model.sip import parse_uri

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

from axcore.voice.transfer import NS, Tally, is_own, order_of


def request(*headers: str) -> str:
    lines = [
        "REFER sip:d@h SIP/2.0", "Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:a@h>;tag=1", "To: <sip:d@h>;tag=2",
        "Call-ID: c", "CSeq: 42 REFER", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n\r\n"


@pytest.mark.parametrize(
    ("value", "uri", "replaces"),
    [
        ("sip:eve@host", "sip:eve@host", ""),
        ("sip:eve@host;of=header", "sip:eve@host", ""),
        ("<sip:eve@host;transport=tcp>;of=header", "sip:eve@host;transport=tcp", ""),
        ('"A <b>, \\"c" <sips:eve@HOST:5062;Method=invite;user=phone>', "sips:eve@host:5062;user=phone", ""),
        ("Eve <sip:eve@[::1]?Replaces=a%40b%3bfrom-tag%3D1%3bto-tag%3D2>", "sip:eve@[::1]", "a@b;from-tag=1;to-tag=2"),
        (
            "<sip:e@h?Subject=x&replaces=a;to-tag=1;from-tag=2;early-only>",
            "sip:e@h",
            "a;to-tag=1;from-tag=2;early-only",
        ),
    ],
)
def test_whom_to_call(value: str, uri: str, replaces: str) -> None:
    for name in ("Refer-To", "refer-to", "r"):
        order = order_of(request(f"{name}: {value}"))
        assert (str(order.uri), order.replaces, order.number) == (uri, replaces, "42")


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Refer-To:",),
        ("Refer-To: <sip:a@h>", "r: <sip:a@h>"),
        ("Refer-To: <sip:a@h>, <sip:b@h>",),
        ("Refer-To: <sip:a@h;method=>",),
        ("Refer-To: <sip:a@h;method=SUBSCRIBE>",),
        ("Refer-To: <http://h/>",),
        ("Refer-To: <sip:a@h?Replaces=a;to-tag=1>",),
        ("Refer-To: <sip:a@h?Replaces=a%00;to-tag=1;from-tag=2>",),
        (f"Refer-To: <sip:a@h?Replaces={'a' * 300};to-tag=1;from-tag=2>",),
    ],
)
def test_not_one_address_of_somebody_to_call(headers: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="Refer-To"):
        order_of(request(*headers))


@given(st.text(max_size=300))
def test_any_text_is_an_order_or_an_input_error(text: str) -> None:
    for data in (text, request(f"Refer-To: {text}"), request(f"Refer-To: <sip:a@h?{text}>")):
        with contextlib.suppress(InputError):
            order = order_of(data)
            assert parse_uri(str(order.uri)) == order.uri
            assert order.replaces.isprintable()


def test_what_comes_back_to_the_device() -> None:
    for uri, own in (
        ("sip:x@10.0.0.9", True),
        ("sip:10.0.0.9:5060;transport=tcp", True),
        ("sip:x@0.0.0.0", True),
        ("sips:x@10.0.0.9", True),
        ("sip:x@10.0.0.9;transport=TLS", True),
        ("sip:x@10.0.0.9:5070", False),
        ("sip:x@10.0.0.8", False),
        ("sip:x@door.example", False),
    ):
        assert is_own(parse_uri(uri), (5060, 5061), "10.0.0.9") is own, uri


def test_a_flood_is_told_as_a_number() -> None:
    tally = Tally()
    assert tally.due(0) is None
    tally.add(603, "one")
    told = tally.due(5)
    assert told is not None
    assert (told.what, told.code, told.detail, told.count) == ("transfer", 603, "one", 1)
    for number in range(1000):
        tally.add(400, f"{number}")
    assert tally.due(NS) is None
    told = tally.due(NS + 5)
    assert told is not None
    assert (told.code, told.detail, told.count) == (400, "999", 1000)
    assert tally.due(9 * NS) is None

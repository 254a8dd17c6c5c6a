"""Operations of the simulated board: what is refused, and that the error names the field."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.drivers.board_ops import CardOp, InputOp, OpError, error_reply, parse, parse_line
from axcore.drivers.simulator import frame
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError


@pytest.mark.parametrize(
    ("op", "code", "field"),
    [
        ([], "wrong_type", "body"),
        ({}, "missing_field", "op"),
        ({"op": "explode"}, "unknown_operation", "op"),
        ({"op": ["card"]}, "unknown_operation", "op"),
        ({"op": "keys"}, "missing_field", "keys"),
        ({"op": "keys", "keys": 1234}, "wrong_type", "keys"),
        ({"op": "keys", "keys": ""}, "invalid_value", "keys"),
        ({"op": "keys", "keys": "12x"}, "invalid_value", "keys"),
        ({"op": "keys", "keys": "1" * 65}, "invalid_value", "keys"),
        ({"op": "keys", "keys": "1", "colour": "red"}, "unknown_field", "colour"),
        ({"op": "state", "correlation": "x" * 65}, "too_long", "correlation"),
        ({"op": "state", "correlation": 7}, "wrong_type", "correlation"),
        ({"op": "wireless"}, "invalid_value", "up"),
        ({"op": "wireless", "up": True, "lock": "lock1"}, "invalid_value", "up"),
        ({"op": "wireless", "lock": "lock1"}, "invalid_value", "bits"),
        ({"op": "wireless", "lock": "lock1", "bits": "012"}, "invalid_value", "bits"),
        ({"op": "wireless", "lock": "lock1", "bits": "1" * 257}, "invalid_value", "bits"),
        ({"op": "card"}, "missing_field", "bits"),
        ({"op": "card", "bits": "01", "card": 2}, "invalid_value", "card"),
        ({"op": "card", "bits": "012"}, "invalid_value", "bits"),
        ({"op": "card", "bits": "0" * 257}, "invalid_value", "bits"),
        ({"op": "card", "bits": ""}, "invalid_value", "bits"),
        ({"op": "card", "hex": "ff"}, "missing_field", "length"),
        ({"op": "card", "hex": "ff", "length": 7}, "invalid_value", "hex"),
        ({"op": "card", "hex": "", "length": 7}, "invalid_value", "hex"),
        ({"op": "card", "hex": "-1", "length": 7}, "invalid_value", "hex"),
        ({"op": "card", "hex": "1_0", "length": 26}, "invalid_value", "hex"),
        ({"op": "card", "hex": "f", "length": 257}, "invalid_value", "length"),
        ({"op": "card", "bits": "01", "length": 2}, "invalid_value", "length"),
        ({"op": "card", "bits": "01", "facility": 2}, "invalid_value", "facility"),
        ({"op": "card", "bits": "01", "format": "H10301"}, "invalid_value", "format"),
        ({"op": "card", "bits": "01", "pulse_us": 0}, "invalid_value", "pulse_us"),
        ({"op": "card", "bits": "01", "interval_us": 50}, "invalid_value", "interval_us"),
        ({"op": "edges", "edges": []}, "invalid_value", "edges"),
        ({"op": "edges", "edges": [[0, 0]]}, "wrong_type", "edges[0]"),
        ({"op": "edges", "edges": [[0, 2, 0]]}, "invalid_value", "edges[0][1]"),
        ({"op": "edges", "edges": [[0, 0, 2]]}, "invalid_value", "edges[0][2]"),
        ({"op": "edges", "edges": [[5, 0, 0], [4, 0, 1]]}, "invalid_value", "edges[1][0]"),
        ({"op": "edges", "edges": [[0, 0, 0]] * 4097}, "limit", "edges"),
        ({"op": "edges", "edges": [[0, 0, 0], [10**13, 0, 1]]}, "invalid_value", "edges"),
        ({"op": "button", "duration": 1, "active": True}, "invalid_value", "active"),
        ({"op": "rex", "duration": 0}, "invalid_value", "duration"),
        ({"op": "rex", "active": "yes"}, "wrong_type", "active"),
        ({"op": "input", "port": 5, "active": True}, "invalid_value", "port"),
        ({"op": "input", "port": 1}, "missing_field", "active"),
        ({"op": "qr", "text": ""}, "invalid_value", "text"),
        ({"op": "chip", "csn": "04"}, "missing_field", "type"),
        ({"op": "chip", "type": "", "csn": "04"}, "invalid_value", "type"),
        ({"op": "chip", "type": "NFC", "csn": ""}, "invalid_value", "csn"),
        ({"op": "chip", "type": "NFC", "csn": "4"}, "invalid_value", "csn"),
        ({"op": "chip", "type": "NFC", "csn": "xy"}, "invalid_value", "csn"),
        ({"op": "chip", "type": "NFC", "csn": "00" * 33}, "invalid_value", "csn"),
        ({"op": "chip", "type": "NFC", "csn": "04", "secure": {"a": "0"}}, "invalid_value", "secure.a"),
        ({"op": "chip", "type": "NFC", "csn": "04", "secure": {f"{n}": "00" for n in range(33)}}, "limit", "secure"),
        ({"op": "stall", "seconds": -1}, "invalid_value", "seconds"),
        ({"op": "stall", "seconds": 61}, "invalid_value", "seconds"),
        ({"op": "clock", "step": 1e12}, "invalid_value", "step"),
        ({"op": "drop"}, "missing_field", "service"),
        ({"op": "fault", "broken": True}, "missing_field", "part"),
        ({"op": "fault", "part": "siren"}, "missing_field", "broken"),
        ({"op": "fault", "part": "siren", "broken": 1}, "wrong_type", "broken"),
    ],
)
def test_refused(op: Any, code: str, field: str) -> None:
    with pytest.raises(OpError) as raised:
        parse(op)
    assert (raised.value.code, raised.value.field) == (code, field)
    reply = error_reply(raised.value)
    assert reply["status"] == "error"
    assert reply["error"]["code"] == code


@pytest.mark.parametrize("line", [b"{", b"\xff\xfe", b'{"op":"state"} x', b"[" * 100_000, b'{"op":"clock","step":NaN}'])
def test_bad_json(line: bytes) -> None:
    with pytest.raises(OpError) as raised:
        parse_line(line)
    assert raised.value.code in ("bad_json", "wrong_type")


def test_ports_as_numbers_and_names() -> None:
    for port in (1, "1", 4, "casing"):
        assert isinstance(parse({"op": "input", "port": port, "active": True}), InputOp)


def card(**fields: Any) -> CardOp:
    op = parse({"op": "card", **fields})
    assert isinstance(op, CardOp)
    return op


def test_the_same_card_in_three_ways() -> None:
    bits = frame(card(format="H10301", facility=1, card=10213))
    assert bits.nbits == 26
    assert frame(card(card=10213, facility=1)) == bits
    assert frame(card(bits=f"{bits.value:026b}")) == bits
    assert frame(card(hex=bits.hex(), length=26)) == bits


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"card": 70_000}, "card"), ({"card": 1, "facility": 256}, "facility"), ({"card": 1, "format": "X"}, "format")],
)
def test_cards_that_the_format_cannot_hold(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(OpError) as raised:
        frame(card(**fields))
    assert raised.value.field == field


def test_codes_of_other_errors() -> None:
    codes = {
        NotFoundError("a", "b"): "not_found",
        ConflictError("a", "b"): "conflict",
        LimitError("a", "b"): "limit",
        InputError("a", "b"): "invalid_value",
        QueueFullError("x"): "busy",
        RuntimeError("x"): "internal",
    }
    assert [error_reply(error)["error"]["code"] for error in codes] == list(codes.values())

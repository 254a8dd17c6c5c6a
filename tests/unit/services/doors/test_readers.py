"""Readers of a controller: keypads, cards and PINs, time limits, feedback, formats, readers that go and come."""

from __future__ import annotations

import pytest

from axcore.errors import InputError, NotFoundError
from axcore.model import events as topics
from axcore.model.credentials import CardValue
from axcore.model.pacs import IdDataConfiguration, IdDataField, IdPoint, IdPointConfiguration
from axcore.services.doors.id_data import id_data, read
from axcore.services.pacs.decision import Request
from axcore.testing.controller import CARD, ControllerBench


def with_pin() -> ControllerBench:
    """Ann needs her card and her PIN."""
    bench = ControllerBench()
    bench.let_in(pin="1234", authentication_profiles=("CardPlusPin",))
    return bench


def test_card_and_pin_in_either_order() -> None:
    bench = with_pin()
    bench.swipe()
    assert bench.panel.shown == ["more"]
    bench.keys("1234")
    assert bench.open
    bench = with_pin()
    bench.keys("1234")
    bench.swipe()
    assert bench.open


def test_a_wiegand_keypad_sends_keys_as_short_frames() -> None:
    bench = with_pin()
    bench.swipe()
    for digit in (1, 2):
        bench.swipe(CardValue(bits=4, value=f"{digit:02x}"))
    for digit in (3, 4):
        bench.swipe(CardValue(bits=8, value=f"{(~digit & 15) << 4 | digit:02x}"))
    assert bench.open


def test_a_pin_that_does_not_come_in_time_is_told() -> None:
    bench = with_pin()
    bench.swipe()
    bench.events()
    bench.wait(3.1)
    assert bench.panel.shown == ["more", "denied"]
    assert [event.source for event in bench.told(topics.ID_POINT_TIMEOUT)] == [{"IdPointToken": "reader1"}]
    bench.keys("1234")
    assert not bench.open


def test_wrong_pins_are_refused_for_a_while() -> None:
    bench = with_pin()
    for _ in range(5):
        bench.swipe()
        bench.keys("9999")
    bench.swipe()
    bench.keys("1234")
    assert not bench.open
    bench.wait(61)
    bench.swipe()
    bench.keys("1234")
    assert bench.open


def test_a_reader_that_goes_forgets_what_was_shown_and_opens_nothing() -> None:
    bench = with_pin()
    bench.swipe()
    bench.events()
    bench.do(lambda tx: bench.readers.on_online(tx, "reader1", False))
    bench.do(lambda tx: bench.readers.on_online(tx, "reader1", True))
    told = [event.data["State"] for event in bench.told(topics.ID_POINT_STATUS)]
    assert told == ["Offline", "Online"]
    bench.keys("1234")
    assert not bench.open


def test_tamper_is_a_property_of_the_reader() -> None:
    bench = ControllerBench()
    bench.events()
    for tampered in (True, True, False):
        bench.do(lambda tx, tampered=tampered: bench.readers.on_tamper(tx, "reader1", tampered))  # type: ignore[misc]
    assert [event.data["Active"] for event in bench.told(topics.ID_POINT_TAMPERING)] == ["1", "0"]


def test_a_reader_that_leads_nowhere_refuses() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.do(lambda tx: bench.pacs.remove(tx, "pacs.access_point", ("reader1access",)))
    bench.swipe()
    assert bench.panel.shown == ["denied"]
    assert not bench.open


def test_what_interfaces_ask_for() -> None:
    bench = ControllerBench()
    bench.let_in()
    decision = bench.do(lambda tx: bench.readers.request_access(tx, Request("reader1", {"Card": CARD.value})))
    assert decision.granted
    assert bench.open
    bench.do(lambda tx: bench.readers.present(tx, "reader1", {"Card": CARD.value, "PIN": "1234"}))
    assert bench.readers.last("reader1") == {"Card": CARD.value}
    bench.do(lambda tx: bench.readers.feedback(tx, "reader1", "AccessDenied"))
    assert bench.panel.shown[-1] == "denied"
    assert bench.readers.is_online("reader1")
    assert not bench.readers.is_online("reader2")
    assert [state.name for state in bench.readers.states()] == ["reader1", "reader2"]
    with pytest.raises(NotFoundError, match="reader9"):
        bench.readers.last("reader9")
    with pytest.raises(InputError, match=r"0\.\.1"):
        bench.readers.name(2)


def test_cards_are_read_as_configured() -> None:
    """Check vector of the reference: 26 bits, Card 02004fcb, FacilityCode 0, CardNr 10213."""
    assert id_data(CARD) == {"Card": "02004fcb", "BitCount": "26", "FacilityCode": "0", "CardNr": "10213"}
    assert id_data(CardValue(bits=32, value="deadbeef")) == {"Card": "deadbeef", "BitCount": "32"}
    fields = (IdDataField("10-25", "Number", "BinBE2Int"), IdDataField("2-9", "Site", "BinBE2hex"))
    formats = (IdDataConfiguration(token="site", input_bit_length=26, fields=fields),)
    assert id_data(CARD, formats) == {"Card": "02004fcb", "BitCount": "26", "Number": "10213", "Site": "00"}


@pytest.mark.parametrize(
    ("encoding", "map_", "value"),
    [
        ("BinBE2Int", "1-16", str(0x1234)),
        ("BinLE2Int", "1-16", str(0x3412)),
        ("BinBE2hex", "1-16", "1234"),
        ("BinBEIBO2hex", "1-16", "482c"),
        ("Bin2Base64", "1-8", "Eg=="),
        ("BinBE2hex", "xA,1-4", "a1"),
        ("BinBE2Int", "b1,16", "2"),
        ("BinBE2Int", "16-17", None),
        ("BinBE2Int", "0-3", None),
    ],
)
def test_encodings(encoding: str, map_: str, value: str | None) -> None:
    assert read(IdDataField(map_, "F", encoding), f"{0x1234:016b}") == value


def test_a_reader_uses_its_own_formats() -> None:
    bench = ControllerBench()
    fields = (IdDataField("10-25", "Number", "BinBE2Int"),)
    form = IdDataConfiguration(token="site", input_bit_length=26, fields=fields)
    reader = IdPointConfiguration(token="reader1", id_data_configurations=("site",))
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.id_data_configuration", (form,)))
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.id_point_configuration", (reader,)))
    bench.swipe()
    assert bench.readers.last("reader1")["Number"] == "10213"


def test_states_of_a_reader_are_told_again_with_its_heartbeat() -> None:
    bench = ControllerBench()
    point = IdPoint(token="reader1", heartbeat_ms=10_000)
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.id_point", (point,)))
    bench.do(bench.readers.announce)
    bench.events()
    bench.wait(9.9)
    assert bench.told(topics.ID_POINT_STATUS) == []
    bench.wait(20.2)
    told = bench.told("tns1:IdPoint")
    assert [event.source["IdPointToken"] for event in told] == ["reader1"] * 6
    assert {event.topic for event in told} == {topics.ID_POINT_STATUS, topics.ID_POINT_TAMPERING}

"""The reader service where the manual is silent: field errors, secrets, what is dropped, what is shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from axcore.devices.reader import ReaderStatus
from axcore.errors import InputError, StateError
from axcore.model import events as topics
from axcore.model.credentials import ChipData, CredentialRead
from axcore.osdp import SCBK_D, Color, messages
from axcore.services.indicators.service import Shown
from axcore.services.reader import CONTROLLER, EXTERNAL, ReaderSettings
from axcore.services.reader.settings import CHIP_TYPES
from axcore.testing.reader import CARD, Rig

KEY = "6b1f0c93d2a8475e90b3c6d4e1f72a58"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"protocol": "clock-and-data"}, "protocol"),
        ({"protocol": None}, "protocol"),
        ({"speed": 1}, "speed"),
        ({"osdp": {"address": 127}}, "osdp.address"),
        ({"osdp": {"address": -1}}, "osdp.address"),
        ({"osdp": {"address": "0"}}, "osdp.address"),
        ({"osdp": {"baud": 300}}, "osdp.baud"),
        ({"osdp": {"baud": 10**9}}, "osdp.baud"),
        ({"osdp": {"key": "00"}}, "osdp.key"),
        ({"osdp": {"key": "zz" * 16}}, "osdp.key"),
        ({"osdp": {"key": "00" * 16}}, "osdp.key"),
        ({"osdp": {"key": SCBK_D.hex()}}, "osdp.key"),
        ({"osdp": {"parity": 1}}, "osdp.parity"),
        ({"osdp": None}, "osdp"),
        ({"external": {"enabled": 1}}, "external.enabled"),
        ({"external": {"address": 127}}, "external.address"),
        ({"external": {"key": "ff" * 16}}, "external.key"),
        ({"protocol": "vapix"}, "vapix.host"),
        ({"vapix": {"host": "a b"}}, "vapix.host"),
        ({"vapix": {"host": "http://door"}}, "vapix.host"),
        ({"vapix": {"host": "x" * 256}}, "vapix.host"),
        ({"vapix": {"port": 0}}, "vapix.port"),
        ({"vapix": {"port": 65536}}, "vapix.port"),
        ({"vapix": {"scheme": "ftp"}}, "vapix.scheme"),
        ({"vapix": {"username": "a\r\nb"}}, "vapix.username"),
        ({"vapix": {"password": "a\0b"}}, "vapix.password"),
        ({"vapix": {"reader": "x" * 256}}, "vapix.reader"),
        ({"vapix": {"ca_certificate": "\n"}}, "vapix.ca_certificate"),
        ({"wiegand": {"beeper": True}}, "wiegand.beeper_input"),
        ({"wiegand": {"led_inputs": 1}}, "wiegand.led1_input"),
        ({"wiegand": {"led_inputs": 2, "led1_input": 1}}, "wiegand.led2_input"),
        ({"wiegand": {"led_inputs": 2, "led1_input": 1, "led2_input": 1}}, "wiegand.led2_input"),
        ({"wiegand": {"beeper": True, "beeper_input": 1, "led_inputs": 1, "led1_input": 1}}, "wiegand.led1_input"),
        ({"wiegand": {"beeper_input": 5}}, "wiegand.beeper_input"),
        ({"wiegand": {"led_inputs": 3}}, "wiegand.led_inputs"),
        ({"wiegand": {"idle_color": "pink"}}, "wiegand.idle_color"),
        ({"wiegand": {"keypress": {"format": "SixBit"}}}, "wiegand.keypress.format"),
        ({"output": {"format": "Wiegand99"}}, "output.format"),
        ({"output": {"format": "Custom"}}, "output"),
        ({"chips": {"active": ["Punch card"]}}, "chips.active[0]"),
        ({"chips": {"active": ["Generic", "Generic"]}}, "chips.active[1]"),
        ({"chips": {"data": {"data_sets": [{"name": "a", "chip_type": "x"}]}}}, "chips.data.data_sets[0].chip_type"),
        ({"chips": {"data": {"data_sets": [{"chip_type": "Generic"}]}}}, "chips.data.data_sets[0].name"),
        (
            {"chips": {"data": {"data_sets": [{"name": f"{n}", "chip_type": "Generic"} for n in range(33)]}}},
            "chips.data.data_sets",
        ),
    ],
)
def test_bad_settings_name_their_field_and_store_nothing(rig: Rig, patch: dict[str, Any], field: str) -> None:
    before = rig.settings(osdp={"key": KEY})
    with pytest.raises(InputError) as caught:
        rig.settings(**patch)
    assert caught.value.field.startswith(field)
    assert rig.reader.settings == before
    assert Rig(rig.ledger.store).reader.settings == before


@pytest.mark.parametrize("patch", [[], None, "osdp", 5])
def test_a_patch_that_is_no_object(rig: Rig, patch: Any) -> None:
    with pytest.raises(InputError) as caught:
        rig.ledger.do(lambda tx: rig.reader.set_settings(tx, patch))
    assert caught.value.field == "data"


def test_settings_are_kept_and_a_group_is_patched_field_by_field(rig: Rig) -> None:
    rig.settings(protocol="osdp", osdp={"key": KEY.upper(), "address": 5})
    rig.settings(osdp={"baud": 115200})
    kept = Rig(rig.ledger.store).reader.settings
    assert (kept.protocol, kept.osdp.address, kept.osdp.baud, kept.osdp.key) == ("osdp", 5, 115200, KEY)
    assert rig.wires.connected == [rig.wires.connected[0], kept]


def test_what_is_not_changed_connects_nothing_anew(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    rig.settings(protocol="wiegand", wiegand={"beeper": False})
    assert len(rig.wires.connected) == 1


def test_a_commit_that_fails_changes_and_connects_nothing(rig: Rig) -> None:
    rig.ledger.store.broken = "disk is full"
    with pytest.raises(Exception, match="disk is full"):
        rig.settings(protocol="wiegand")
    rig.ledger.store.broken = None
    assert rig.reader.settings == ReaderSettings()
    assert rig.wires.connected == []


def test_an_external_reader_needs_the_pins_that_osdp_and_wiegand_need(rig: Rig) -> None:
    rig.reader.shared_pins = True
    rig.settings(protocol="osdp")
    with pytest.raises(InputError, match="same pins") as caught:
        rig.settings(external={"enabled": True})
    assert caught.value.field == "external.enabled"
    rig.settings(protocol="none", external={"enabled": True})
    with pytest.raises(InputError) as caught:
        rig.settings(protocol="wiegand")
    assert caught.value.field == "protocol"
    rig.settings(protocol="vapix", vapix={"host": "10.0.0.9"})
    rig.reader.shared_pins = False
    rig.settings(protocol="wiegand")


def test_a_port_that_is_an_output_is_no_input(rig: Rig) -> None:
    rig.reader.is_input = lambda port: port != 2
    wired = {"beeper": True, "beeper_input": 2}
    with pytest.raises(InputError, match="port 2 is an output"):
        rig.settings(protocol="wiegand", wiegand=wired)
    rig.settings(wiegand=wired)
    rig.settings(protocol="wiegand", wiegand={"beeper_input": 3})


def test_without_a_connection_nothing_is_forwarded(rig: Rig) -> None:
    assert rig.swipe() == []
    assert rig.keys("1234") == []
    rig.entry_list()
    assert rig.swipe() == []
    assert [e.data["reason"] for e in rig.events(topics.ENTRY_DENIED)] == ["unknown_credential"]


def test_an_osdp_controller_that_is_not_there_is_not_waited_for(rig: Rig) -> None:
    """Whoever the entry list does not know gets an answer at once."""
    rig.settings(protocol="osdp")
    rig.entry_list()
    rig.wires.wire.status = ReaderStatus()
    assert rig.swipe() == []
    assert len(rig.events(topics.ENTRY_DENIED)) == 1
    assert rig.keys("9999#") == []
    assert len(rig.events(topics.ENTRY_DENIED)) == 2
    assert rig.reader.state().dropped == 2


def test_what_does_not_fit_is_counted(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    rig.swipe()
    rig.wires.wire.full = True
    rig.swipe()
    assert (rig.reader.state().sent, rig.reader.state().dropped) == (1, 1)


def test_nothing_is_sent_for_a_read_that_cannot_be_recorded(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    rig.ledger.store.broken = "disk is full"
    with pytest.raises(Exception, match="disk is full"):
        rig.swipe()
    assert rig.wires.wire.sent == []


def test_a_long_qr_code_goes_whole_or_not_at_all(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    assert rig.read(CredentialRead(kind="qr", qr="x" * 33)) == []
    assert rig.read(CredentialRead(kind="qr", qr="ab")) == [("frames", (0x6162, 16))]
    rig.settings(protocol="vapix", vapix={"host": "10.0.0.9"})
    (sent,) = rig.read(CredentialRead(kind="qr", qr="x" * 200))
    assert (sent[1].qr, sent[2]) == ("x" * 200, None)


def test_an_unknown_chip_and_a_data_set_beyond_the_card_are_ignored(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    csn = bytes.fromhex("04a1b2c3")
    assert rig.read(_chip("Punch card", csn)) == []
    data_set = {"name": "far", "chip_type": "NFC", "use_data_on_card": False, "offset": 40, "length": 8}
    rig.settings(chips={"data": {"data_sets": [data_set]}})
    assert rig.read(_chip("NFC", csn)) == []
    assert rig.read(_chip("OPAL", csn)) == [("frames", (0x04A1B2C3, 32))]


def test_secure_data_stays_out_of_what_is_kept_and_logged(rig: Rig) -> None:
    read = _chip("NFC", b"\1\2", secret=b"\xaa\xbb")
    rig.read(read)
    assert rig.access.latest is not None
    assert rig.access.latest.chip is None
    assert "aabb" not in repr(read) + repr(read.chip)


def test_keys_of_a_keypad_on_the_data_lines_are_no_cards(rig: Rig) -> None:
    rig.settings(protocol="wiegand", chips={"active": []})
    assert rig.swipe() == []
    assert rig.keys("1") == [("frames", (1, 4))]


def test_a_pin_that_the_format_cannot_hold_is_denied_here(rig: Rig) -> None:
    rig.settings(protocol="wiegand", wiegand={"keypress": {"format": "Wiegand26"}})
    rig.entry_list()
    rig.ledger.do(lambda tx: rig.access.set_settings(tx, {"pin_length": 6}))
    assert rig.keys("999999#") == []
    assert len(rig.events(topics.ENTRY_DENIED)) == 1


def test_feedback_of_an_osdp_controller(rig: Rig) -> None:
    rig.settings(protocol="osdp")
    _led(rig, messages.Led(control=1, on=1, on_color=Color.BLUE))
    assert rig.stripe == Shown("blue")
    blinking = messages.Led(
        temp_control=2, temp_on=2, temp_off=3, temp_on_color=Color.GREEN, temp_timer_100ms=20, control=0
    )
    _led(rig, blinking)
    assert rig.stripe == Shown("green", 500)
    rig.ledger.advance(1.9)
    assert rig.stripe == Shown("green", 500)
    rig.ledger.advance(0.2)
    assert rig.stripe == Shown("blue")
    _led(rig, blinking, messages.Led(temp_control=1))
    assert rig.stripe == Shown("blue")
    _led(rig, messages.Led(led=1, control=1, on=1, on_color=Color.RED))  # an LED that is not there
    assert rig.stripe == Shown("blue")
    rig.ledger.do(lambda tx: rig.reader.on_buzzer(tx, (messages.Buzzer(tone=2, on=1, off=2, count=3),)))
    assert rig.events(topics.READER_BUZZER)[0].data == {"on": "100", "off": "200", "count": "3", "active": "1"}
    assert [(b.on_ms, b.off_ms) for b in rig.wires.beeps if b] == [(100, 200)]
    rig.ledger.advance(0.85)
    assert len(rig.wires.beeps) == 1
    rig.ledger.advance(0.1)
    assert rig.wires.beeps[-1] is None
    rig.ledger.do(lambda tx: rig.reader.on_text(tx, messages.Text(command=3, seconds=4, text=b"Hi\x07")))
    assert rig.events(topics.READER_TEXT)[0].data == {"text": "Hi ", "seconds": "4"}
    _status(rig, ReaderStatus(link="secure"))
    _status(rig, ReaderStatus(why="silence"))
    assert rig.stripe == Shown("off")


def test_a_beep_without_end_ends_with_the_next_one_or_with_the_line(rig: Rig) -> None:
    rig.settings(protocol="osdp")
    _status(rig, ReaderStatus(link="secure"))
    endless = messages.Buzzer(tone=2, on=5, off=0, count=0)
    for silence in (
        lambda tx: rig.reader.on_buzzer(tx, (messages.Buzzer(tone=1),)),
        lambda tx: rig.reader.on_status(tx, ReaderStatus(why="silence")),
        lambda tx: rig.reader.set_settings(tx, {"protocol": "none"}),
    ):
        rig.ledger.do(lambda tx: rig.reader.on_buzzer(tx, (endless,)))
        assert rig.wires.beeps[-1] is not None
        rig.ledger.advance(100)
        assert rig.wires.beeps[-1] is not None
        rig.ledger.do(silence)
        assert rig.wires.beeps[-1] is None


def test_the_stripe_is_let_go_with_the_protocol(rig: Rig) -> None:
    rig.settings(protocol="wiegand", wiegand={"idle_color": "blue"})
    assert rig.stripe == Shown("blue")
    rig.settings(protocol="none")
    assert rig.stripe == Shown("off")
    rig.settings(protocol="osdp")
    _led(rig, messages.Led(control=1, on=1, on_color=Color.RED))
    rig.settings(protocol="wiegand", wiegand={"idle_color": "green"})
    assert rig.stripe == Shown("green")
    rig.settings(protocol="none")
    assert rig.stripe == Shown("off")


def test_states_of_both_connections_are_told_once(rig: Rig) -> None:
    rig.settings(protocol="osdp", external={"enabled": True})
    assert rig.reader.state().connection == "connecting"
    for _ in range(2):
        _status(rig, ReaderStatus(link="secure"))
        _status(rig, ReaderStatus(link="clear", tamper=True), EXTERNAL)
    state = rig.reader.state()
    assert (state.connection, state.secure, state.external, state.external_secure) == (
        "connected", True, "connected", False,
    )  # fmt: skip
    assert state.external_tamper
    assert len(rig.events(topics.READER_CONNECTION)) == 2
    assert [e.data for e in rig.events(topics.READER_TAMPER)] == [{"active": "1"}]


def test_a_key_that_the_controller_set_is_kept_and_told_but_not_shown(rig: Rig) -> None:
    rig.settings(protocol="osdp")
    rig.ledger.do(lambda tx: rig.reader.on_key_set(tx, bytes.fromhex(KEY)))
    rig.ledger.do(lambda tx: rig.reader.on_key_set(tx, bytes.fromhex(KEY[::-1]), EXTERNAL))
    kept = Rig(rig.ledger.store).reader.settings
    assert (kept.osdp.key, kept.external.key) == (KEY, KEY[::-1])
    assert [e.source["side"] for e in rig.events(topics.READER_KEY)] == [CONTROLLER, EXTERNAL]
    assert KEY not in str([msgspec.to_builtins(event) for event in rig.ledger.events])


def test_the_install_window(rig: Rig) -> None:
    with pytest.raises(StateError):
        rig.ledger.do(lambda tx: rig.reader.install(tx, 60))
    rig.settings(protocol="osdp")
    for seconds in (-1, 601, float("nan")):
        with pytest.raises(InputError):
            rig.ledger.do(lambda tx, seconds=seconds: rig.reader.install(tx, seconds))  # type: ignore[misc]
    rig.ledger.do(lambda tx: rig.reader.install(tx, 60))
    assert rig.wires.wire.sent == [("install", 60)]
    rig.ledger.do(lambda tx: rig.reader.on_install(tx, True, False))
    assert rig.reader.state().install_window
    rig.ledger.do(lambda tx: rig.reader.on_attack(tx, "published_key", 0x76))
    assert rig.events(topics.READER_ATTACK)[0].data == {"kind": "published_key", "code": "0x76"}


def test_every_chip_type_may_be_active_alone(rig: Rig) -> None:
    rig.settings(protocol="wiegand")
    for chip_type in CHIP_TYPES:
        rig.settings(chips={"active": [chip_type]})
        assert len(rig.read(_chip(chip_type, b"\1\2\3\4"))) == 1
        assert len(rig.swipe(CARD)) == (chip_type == "Generic")


def _chip(chip_type: str, csn: bytes, **secure: bytes) -> CredentialRead:
    return CredentialRead(kind="card", card=_value(csn), chip=ChipData(chip_type=chip_type, csn=csn, secure=secure))


def _value(csn: bytes) -> Any:
    from axcore.model.credentials import CardValue

    return CardValue(bits=len(csn) * 8, value=csn.hex())


def _led(rig: Rig, *records: messages.Led) -> None:
    rig.ledger.do(lambda tx: rig.reader.on_led(tx, records))


def _status(rig: Rig, status: ReaderStatus, side: str = CONTROLLER) -> None:
    rig.ledger.do(lambda tx: rig.reader.on_status(tx, status, side))

"""Board over a real I/O thread: names, correlation, configuration of GPIO lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.drivers.board import Board, LineSettings, Sinks, Tokens, card_hex, gpio_config, reader_config
from axcore.errors import InputError
from axcore.interfaces.cli.instance import wait_for
from axcore.model.config import BoardConfig, GpioPin, ReaderPins, WiegandConfig
from axcore.model.credentials import CardValue, ChipData
from axcore.wiegand import Bits, schedule

MODEL = MODELS["a8207-ve"]
SETTINGS = LineSettings(
    inputs={}, outputs={"relay2": "closed"}, driven=frozenset({"port2"}), rex={"rex": ("relay1", 0.05)}
)


class Seen:
    """Sinks that remember."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.calls: list[tuple[Any, ...]] = []

        def note(name: str) -> Callable[..., None]:
            return lambda tx, *arguments: self.calls.append((name, *arguments))

        self.sinks = Sinks(
            on_read=note("read"),
            on_key=note("key"),
            on_input=note("input"),
            on_output=note("output"),
            on_sequence_end=note("sequence_end"),
            on_reader_fault=note("fault"),
            on_lost=note("lost"),
        )

    def until(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        """Drain until a call came; gives it (and forgets what came before)."""
        found: tuple[Any, ...] = wait_for(f"{name} {arguments}", lambda: self.look((name, *arguments)), 60)
        return found

    def look(self, wanted: tuple[Any, ...]) -> tuple[Any, ...] | None:
        for job in self.board.jobs(self.sinks):
            job(None)  # type: ignore[arg-type]
        for position, call in enumerate(self.calls):
            if call[: len(wanted)] == wanted:
                del self.calls[: position + 1]
                return call
        return None


@pytest.fixture
def seen() -> Iterator[Seen]:
    board = Board(MODEL, SETTINGS)
    board.start()
    yield Seen(board)
    board.stop()


def test_card_key_label_with_correlation(seen: Seen) -> None:
    bits = Bits("10000000010100111111001011")
    seen.board.feed_edges(0, schedule(bits), "card")
    read = seen.until("read")[1]
    assert (read.kind, read.card.bits, read.card.value, read.correlation) == ("card", 26, bits.hex(), "card")
    seen.board.feed_key("7", "key")
    _, key, t_ns, correlation, reader = seen.until("key")
    assert (key, correlation, reader) == ("7", "key", 0)
    assert t_ns > 0
    seen.board.feed_qr("hello", "qr")
    read = seen.until("read")[1]
    assert (read.kind, read.qr, read.correlation) == ("qr", "hello", "qr")
    chip = ChipData(chip_type="NFC", csn=b"\x04\xa1", secure={"badge": b"\x01"})
    seen.board.feed_chip(chip, "chip")
    read = seen.until("read")[1]
    assert (read.card, read.chip, read.whole, read.correlation) == (
        CardValue(bits=16, value="04a1"),
        chip,
        False,
        "chip",
    )
    with pytest.raises(InputError):
        seen.board.feed_edges(1, schedule(bits))


def test_rex_input_opens_and_both_are_told(seen: Seen) -> None:
    seen.board.feed_input("rex", True, "rex")
    assert seen.until("input", "rex", True)[4] == "rex"
    assert seen.until("output", "relay1", True)[4] == "rex"
    seen.board.feed_input("rex", False)
    seen.until("output", "relay1", False)


def test_outputs(seen: Seen) -> None:
    seen.board.set("relay2", True, "c")
    assert seen.until("output", "relay2", True)[4] == "c"
    assert seen.board.output_active("relay2")
    seen.board.configure_output("relay2", "open")
    seen.until("output", "relay2", False)
    seen.board.hold("relay1", True, True)
    seen.until("output", "relay1", True)
    seen.board.hold("relay1", False, True)
    seen.until("output", "relay1", False)
    seen.board.sequence("port2", [(True, 0.01), (False, 0.01)], "s")
    assert seen.until("output", "port2", True)[4] == "s"
    assert seen.until("sequence_end")[1] == "port2"
    seen.board.pulse("port2", True, 0.01)
    seen.until("output", "port2", True)
    seen.until("output", "port2", False)


def test_normal_state_of_an_input(seen: Seen) -> None:
    seen.board.configure_input("port1", "closed")
    seen.board.feed_input("port1", True)
    assert seen.until("input", "port1", True)
    assert seen.board.input_active("port1")
    seen.board.feed_input("port1", False)
    seen.until("input", "port1", False)


def test_tokens_forget_the_oldest() -> None:
    tokens = Tokens(2)
    numbers = [tokens.number(text) for text in "abc"]
    assert [tokens.text(number) for number in numbers] == [None, "b", "c"]
    assert tokens.number(None) == 0
    assert tokens.text(0) is None


@pytest.mark.parametrize(("bits", "nbits", "text"), [(0x2014FCB, 26, "02014fcb"), (5, 4, "05"), (1, 9, "0001")])
def test_card_hex(bits: int, nbits: int, text: str) -> None:
    assert card_hex(bits, nbits) == text


def test_reader_windows() -> None:
    assert reader_config(WiegandConfig()) == reader_config(WiegandConfig())._replace(min_pulse_ns=10_000)
    assert reader_config(WiegandConfig(expect_bits=26, glitch_us=2.5))[2] == 2500


def test_gpio_lines() -> None:
    board = BoardConfig(
        driver="gpio",
        chip="/dev/gpiochip0",
        reader=ReaderPins(d0=20, d1=21),
        lines={"relay1": 5, "rex": 6, "port1": 7, "port2": 8, "relay2": GpioPin(offset=9, flags=("active_low",))},
    )
    config = gpio_config(MODEL, SETTINGS, board)
    inputs = dict(zip((line.name for line in MODEL.inputs), config.inputs, strict=True))
    outputs = dict(zip((line.name for line in MODEL.outputs), config.outputs, strict=True))
    assert config.readers == [((20, 0), (21, 0))]
    assert inputs["rex"] == (6, 2)
    assert (inputs["port1"], outputs["port1"]) == ((7, 2), None)
    assert (inputs["port2"], outputs["port2"]) == (None, (8, 17))
    assert (outputs["relay1"], outputs["relay2"]) == ((5, 0), (9, 1))
    assert inputs["casing"] is None
    with pytest.raises(InputError) as raised:
        gpio_config(MODEL, SETTINGS, BoardConfig(lines={"relay9": 1}))
    assert raised.value.field == "board.lines.relay9"

"""The parser: what each operation sends to the board, exit codes, lazy imports."""

import subprocess
import sys
from typing import Any

import pytest

from axcore.interfaces.cli.main import VERBS, build_parser, main
from axcore.interfaces.cli.sim import OPERATIONS


def fields(*words: str) -> dict[str, Any]:
    args = build_parser("sim").parse_args(["sim", *words])
    return OPERATIONS[args.op][2](args)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("card", "--card", "10213"), {"format": "H10301", "facility": 1, "card": 10213}),
        (("card", "--bits", "0101", "--reader", "0"), {"bits": "0101", "reader": 0}),
        (("card", "--hex", "02004fcb", "--length", "26", "--interval-us", "200"),
         {"hex": "02004fcb", "length": 26, "interval_us": 200}),
        (("keys", "1234#"), {"keys": "1234#"}),
        (("rex",), {"duration": 0.2}),
        (("rex", "--on"), {"active": True}),
        (("button", "--off"), {"active": False}),
        (("button", "--duration", "1.5"), {"duration": 1.5}),
        (("input", "3", "on"), {"port": 3, "active": True}),
        (("input", "casing", "off"), {"port": "casing", "active": False}),
        (("qr", "hello"), {"text": "hello"}),
        (("chip", "NFC", "04a1"), {"type": "NFC", "csn": "04a1"}),
        (("chip", "NFC", "04a1", "--secure", "a=01"), {"type": "NFC", "csn": "04a1", "secure": {"a": "01"}}),
        (("state",), {}),
        (("sensor", "light", "5"), {"name": "light", "value": 5.0}),
        (("light", "5"), {"op": "sensor", "name": "light", "value": 5.0}),
        (("stall", "4"), {"seconds": 4.0}),
        (("clock", "-3600"), {"step": -3600.0}),
        (("drop", "http"), {"service": "http"}),
    ],
)  # fmt: skip
def test_operations(words: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert fields(*words) == expected


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"sim", "account", "siren", "audio", "rules"}])
def test_every_verb_knows_json(verb: str) -> None:
    words = {"run": ["a8207-ve"], "led": ["list"], "profile": ["wiegand-decode"]}.get(verb, [])
    assert build_parser(verb).parse_args([verb, *words, "--json"]).json is True


def test_usage_errors_are_2() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["sim", "card"])
    assert raised.value.code == 2
    assert main(["sim", "card", "--hex", "02004fcb", "--data-dir", "/nowhere"]) == 2


def test_failures_are_1_and_say_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert main(["sim", "state", "--data-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "board.sock" in said
    assert "axcore run" in said


def test_help_lists_all_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


def test_start_up_imports_nothing_heavy() -> None:
    heavy = ("aiohttp", "numpy", "cryptography", "asyncio", "uvloop", "ssl", "sqlite3", "msgspec")
    code = (
        "import sys; from axcore.interfaces.cli.main import main; main(['version']);"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

"""``axcore rules`` without a device: rules and events from files, tables, JSON, and errors that say what to do next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axcore.interfaces.cli.main import main
from axcore.model import events

DOOR = {"type": "toggle_io_once", "port": "4", "state": True, "duration": 7}
GRANTED = {"name": "Open door", "conditions": [{"topic": events.ENTRY_GRANTED}], "action": DOOR, "wait": 60}
NIGHT = {
    "name": "Night",
    "conditions": [{"topic": events.SCHEDULE_INTERVAL, "source": {"id": "3"}, "invert": True}],
    "action": {"type": "toggle_io_while_active", "port": "5"},
}


def grant(number: int, time: str) -> dict[str, Any]:
    return {"id": number, "time": time, "topic": events.ENTRY_GRANTED, "data": {"condition": "Access granted"}}


def state(number: int, time: str, active: str) -> dict[str, Any]:
    source, data = {"id": "3"}, {"active": active}
    return {"id": number, "time": time, "topic": events.SCHEDULE_INTERVAL, "source": source, "data": data,
            "is_property": True}  # fmt: skip


LOG = [
    state(7, "2026-03-02T08:00:00.000000Z", "1"),
    grant(8, "2026-03-02T08:00:10.000000Z"),
    grant(9, "2026-03-02T08:00:20.000000Z"),
    grant(10, "2026-03-02T08:01:10.000000Z"),
    state(11, "2026-03-02T17:00:00.000000Z", "0"),
]


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rules(self, *rules: Any) -> str:
        return self.write("rules.json", json.dumps(list(rules)))

    def log(self, *log: Any) -> str:
        return self.write("log.jsonl", "\n".join(json.dumps(event) for event in log))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_simulate_tells_what_would_have_fired(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["rules", "simulate", "--rules", files.rules(GRANTED, NIGHT), files.log(*LOG)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["events"] == 5
    assert [(step["rule"], step["what"], step["time"][11:19], step["event_id"]) for step in found["fired"]] == [
        ("1", "fire", "08:00:10", 8),
        ("1", "fire", "08:01:10", 10),
        ("2", "start", "17:00:00", 11),
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "Open door" in said
    assert "event 11" in said
    assert "3 activations and ends in 5 events" in said


def test_a_log_may_be_lists_and_empty_lines(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    log = files.write("log", f"\n{json.dumps(LOG[:2])}\n\n{json.dumps(LOG[2:])}\n")
    assert main(["rules", "simulate", "--rules", files.rules(GRANTED), log]) == 0
    assert "2 activations" in capsys.readouterr().out
    assert main(["rules", "simulate", "--rules", files.rules(), files.log(*LOG)]) == 0
    assert "nothing fires in 5 events" in capsys.readouterr().out


def test_a_rule_about_a_topic_of_the_log_only(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    rule = {**GRANTED, "conditions": [{"topic": "tns1:Other/Device"}]}
    log = files.log({"topic": "tns1:Other/Device", "t_ns": 5_000_000_000})
    assert main(["rules", "simulate", "--rules", files.rules(rule), log]) == 0
    assert "5.000 s" in capsys.readouterr().out


def test_check_warns_of_a_loop_through_virtual_inputs(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    def pulls(one: int, other: int) -> dict[str, Any]:
        conditions = [{"topic": events.IO_VIRTUAL_INPUT, "source": {"port": str(one)}}]
        return {"name": "r", "conditions": conditions, "action": {"type": "virtual_input_once", "input": other}}

    file = files.rules(pulls(1, 2), pulls(2, 1))
    assert main(["rules", "check", "--rules", file]) == 1
    assert "loop: rule 1, 2: the rules set each other off: 1 -> 2 -> 1" in capsys.readouterr().out
    assert main(["rules", "check", "--rules", file, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "loop"
    assert main(["rules", "check", "--rules", files.rules(pulls(1, 2))]) == 0
    assert "nothing odd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rules", "log", "said"),
    [
        ("{", "", "not JSON"),
        ('{"name": 1}', "", "must be a list of rules"),
        ("[1]", "", "must be a list of rules"),
        (json.dumps([{"name": "r"}]), "", "rules[0].conditions: is required"),
        (json.dumps([{**GRANTED, "conditions": []}]), "", "rules[0].conditions: must be"),
        (json.dumps([GRANTED, {**GRANTED, "conditions": [{"topic": "x"}]}]), "", "rules[1].conditions[0].topic"),
        (json.dumps([{**GRANTED, "id": "2"}, GRANTED]), "", "two rules have the id 2"),
        (json.dumps([GRANTED]), "{", "log.jsonl:1:"),
        (json.dumps([GRANTED]), '\n{"topic": 1}', "log.jsonl:2:"),
        (json.dumps([GRANTED]), '{"topic": "a", "time": "yesterday"}', "log[0].time"),
    ],
)
def test_errors_name_the_place(
    files: Files, rules: str, log: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["rules", "simulate", "--rules", files.write("rules.json", rules), files.write("log.jsonl", log)]
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_without_a_device_or_a_file_it_says_what_to_do(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "--data-dir", str(files.folder)]) == 1
    assert "axcore run" in capsys.readouterr().err
    assert main(["rules", "simulate", "--rules", str(files.folder / "none"), files.log()]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["rules", "explain", "door", "--data-dir", str(files.folder)]) == 2
    assert "axcore rules list" in capsys.readouterr().err

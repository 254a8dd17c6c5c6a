"""A few kills in every test run; ``make kill`` does 100 and ``make kill-release`` 2,000."""

from typing import Any, cast

import pytest

from axcore.interfaces.cli.client import Client
from axcore.model.events import ENTRY_GRANTED
from tests.e2e import kill_loop


@pytest.mark.timeout(300)
def test_nothing_is_lost_over_six_kills(capsys: pytest.CaptureFixture[str]) -> None:
    code = kill_loop.main(["--kills", "6", "--seed", "7"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "kills=6" in said.splitlines()[-1]


def test_the_witness_notices_what_must_not_happen() -> None:
    witness = kill_loop.Witness()
    witness.acked = {"port/0": "a", "port/1": "b", "rule/r1": "7"}
    witness.pending = {"port/1": "c"}
    kill_loop.compare(witness, {"port/0": "old", "port/1": "c", "rule/r1": None})
    assert witness.count["write lost"] == 2


class OneLog:
    """A client whose log is given."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events

    def rest(self, method: str, path: str) -> list[dict[str, Any]]:
        after = int(path.partition("after=")[2].partition("&")[0])
        return [event for event in self.events if event["id"] > after]


def grant(number: int, swipe: str) -> dict[str, Any]:
    return {"id": number, "topic": ENTRY_GRANTED, "correlation": swipe, "data": {"holder": "1"}}


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([grant(4, "s1")], "lost"),
        ([grant(4, "s1"), grant(5, "s2"), grant(6, "s2")], "doubled"),
        ([grant(5, "s1"), grant(4, "s2")], "ids"),
        ([grant(4, "s1"), grant(5, "s2")], None),
    ],
)
def test_the_witness_reads_the_log(events: list[dict[str, Any]], kind: str | None) -> None:
    witness = kill_loop.Witness(last_id=3)
    witness.opened.update(["s1", "s2"])
    kill_loop.read_log(cast(Client, OneLog(events)), witness)
    assert dict(witness.count) == ({kind: 1} if kind else {})


def test_card_values_are_those_of_the_reader() -> None:
    assert kill_loop.card_value(0, 10213) == {"bits": 26, "value": "02004fcb"}

"""A few kills in every test run; ``make kill`` does 100 and ``make kill-release`` 2,000."""

import pytest

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


def test_card_values_are_those_of_the_reader() -> None:
    assert kill_loop.card_value(0, 10213) == {"bits": 26, "value": "02004fcb"}

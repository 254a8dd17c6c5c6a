"""Trace files: both forms, and errors that name file and line."""

import pytest

from axcore.interfaces.cli.output import CliError
from axcore.interfaces.cli.sim import read_trace

EDGES = [[0, 0, 0], [50_000, 0, 1], [2_000_000, 1, 0], [2_050_000, 1, 1]]


@pytest.mark.parametrize(
    "text",
    [
        "[0,0,0]\n[50000,0,1]\n\n[2000000,1,0]\n[2050000,1,1]\n",
        "t_ns,line,level\n0,0,0\n50000,0,1\n# second bit\n2000000, 1, 0\n2050000,1,1\n",
    ],
)
def test_json_lines_and_csv_give_the_same_edges(text: str) -> None:
    assert read_trace(text) == EDGES


@pytest.mark.parametrize("line", ["[1,2]", "1,2", "a,b,c", "[1,2,3,4]", "[1.5,0,1]", "[", "null", "[0,2,1]"])
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(CliError, match="trace:2: ") as raised:
        read_trace(f"[0,0,0]\n{line}")
    assert raised.value.code == 2


def test_an_empty_trace_is_refused() -> None:
    with pytest.raises(CliError, match="no edges"):
        read_trace("# nothing\n")

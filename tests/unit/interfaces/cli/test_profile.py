"""Flame graphs, folded stacks, callgrind files, the sampler."""

import threading
import xml.etree.ElementTree as ET

import pytest

from axcore.interfaces.cli import callgrind, flame
from axcore.interfaces.cli.kernels import KERNELS
from axcore.interfaces.cli.sampler import Sampler

STACKS = {("main", "a"): 30.0, ("main", "a", "b<int>"): 60.0, ("main",): 10.0}

CALLGRIND = """version: 1
events: Ir
fl=(1) kernel.c
fn=(1) feed
10 100
+1 50
cfn=(2) bit
calls=5 20
11 250
fn=(2)
20 200
cfn=(3) parity
calls=1 30
+3 50
fn=(3)
30 50
totals: 400
"""


def test_svg_is_well_formed_and_names_every_share() -> None:
    root = ET.fromstring(flame.svg(STACKS, "t & t", "us"))
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["all (100 us, 100.0%)", "main (100 us, 100.0%)", "a (90 us, 90.0%)", "b<int> (60 us, 60.0%)"]


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        flame.svg({}, "t", "us")


def test_table_counts_recursion_once() -> None:
    stacks = {("f", "g", "f"): 1.0, ("f",): 3.0}
    assert flame.functions(stacks) == [("f", 1.0, 1.0)]
    assert flame.functions(STACKS)[0] == ("b<int>", 0.6, 0.6)


def test_folded_text_comes_back() -> None:
    assert dict(flame.unfold(flame.fold(STACKS).splitlines())) == STACKS


def test_callgrind_costs_add_up() -> None:
    own, calls = callgrind.parse(CALLGRIND.splitlines())
    assert own == {"feed": 150, "bit": 200, "parity": 50}
    assert calls == {"feed": {"bit": 250}, "bit": {"parity": 50}}
    stacks = callgrind.stacks((own, calls))
    assert stacks == {("feed",): 150, ("feed", "bit"): 200, ("feed", "bit", "parity"): 50}


def test_callgrind_survives_recursion() -> None:
    stacks = callgrind.stacks(({"top": 1.0, "r": 10.0}, {"top": {"r": 10.0}, "r": {"r": 5.0}}))
    assert ("top", "r") in stacks


def test_the_sampler_sees_who_works() -> None:
    done = threading.Event()
    sampler = Sampler()

    def toil() -> int:
        return sum(i * i for i in range(1000))

    def work() -> None:
        while not done.is_set():
            toil()

    thread = threading.Thread(target=work, name="worker")
    sampler.start()
    thread.start()
    while not any("test_the_sampler_sees_who_works.<locals>.work" in ";".join(stack) for stack in list(sampler.stacks)):
        done.wait(0.01)
    done.set()
    thread.join()
    sampler.stop()
    assert any(stack[0] == "[worker]" for stack in sampler.stacks)
    assert all(weight > 0 for weight in sampler.stacks.values())


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_do_what_they_say(name: str) -> None:
    step = KERNELS[name].prepare()
    assert step() == step() > 0

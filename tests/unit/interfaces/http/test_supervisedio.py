"""supervisedio.cgi: voltages become states at limits that a client sets; a bad entry is named and changes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import FakeRequest

from axcore.interfaces.http.vapix.supervisedio import API
from axcore.model import events as topics
from axcore.model.accounts import Role
from axcore.testing.controller import ControllerBench

RANGES = [
    {"state": "short", "lowerlimit": 0, "upperlimit": 300}, {"state": "close", "lowerlimit": 301, "upperlimit": 1200},
    {"state": "open", "lowerlimit": 1201, "upperlimit": 2200}, {"state": "cut", "lowerlimit": 2201, "upperlimit": 3300},
]  # fmt: skip


class Device:
    """A controller, and what its CGI needs of it."""

    def __init__(self) -> None:
        self.bench = ControllerBench()
        self.controller = self.bench
        self.ports = SimpleNamespace(model=self.bench.model)
        self.ledger = self

    async def run(self, job: Any) -> Any:
        return self.bench.do(job)

    async def call(self, method: str, params: Any = None, role: Role = Role.OPERATOR) -> dict[str, Any]:
        body = {"apiVersion": "2.0", "method": method, **({} if params is None else {"params": params})}
        response = await API.serve(FakeRequest(body=msgspec.json.encode(body), role=role), self)  # type: ignore[arg-type]
        reply: dict[str, Any] = msgspec.json.decode(response.body)  # type: ignore[arg-type]
        return reply

    def measure(self, millivolt: int) -> str | None:
        return self.bench.do(lambda tx: self.bench.supervision.measured(tx, "port1", millivolt))


async def test_an_input_is_supervised_at_the_limits_of_the_client() -> None:
    device = Device()
    assert (await device.call("getNumberOfPorts"))["data"] == {"numberOfPorts": 3}
    assert (await device.call("isSupervisable", [{"port": "0"}]))["data"]["items"] == [
        {"port": "0", "supervisable": True}
    ]
    states = (await device.call("getSupportedStates", [{"port": "1"}]))["data"]["items"][0]["states"]
    assert set(states) == {"short", "close", "open", "cut"}
    assert device.measure(1000) is None
    wanted = {"port": "0", "supervised": True, "ranges": RANGES}
    assert (await device.call("setSupervised", [wanted]))["data"] == {"items": [{"port": "0"}]}
    assert [device.measure(mv) for mv in (100, 700, 1800, 2500)] == ["short", "closed", "open", "cut"]
    told = device.bench.told(topics.SUPERVISED_PORT)
    assert [event.data["state"] for event in told] == ["short", "close", "open", "cut"]
    held = (await device.call("getSupervised", [{"port": "0"}, {"port": "1"}]))["data"]["items"]
    assert held == [
        {"port": "0", "supervised": True, "supervisable": True, "state": "cut", "level": 2500},
        {"port": "1", "supervised": False, "supervisable": True},
    ]
    assert (await device.call("getSupervisedRanges", [{"port": "0"}]))["data"]["items"][0]["ranges"] == RANGES
    again = device.bench.restart()
    assert [entry.state for entry in again.supervision.ranges("port1")] == ["short", "closed", "open", "cut"]


async def test_delivered_limits_are_those_of_the_resistors() -> None:
    held = (await Device().call("getSupervisedRanges"))["data"]["items"]
    assert [item["port"] for item in held] == ["0", "1"]
    limits = {entry["state"]: (entry["lowerlimit"], entry["upperlimit"]) for entry in held[0]["ranges"]}
    assert limits["close"][0] <= 740 <= limits["close"][1]
    assert limits["open"][0] <= 1855 <= limits["open"][1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"port": "9"}, 2104),
        ({"port": None}, 2103),
        ({"supervised": "yes"}, 2104),
        ({"ranges": "all"}, 2104),
        ({"ranges": [{"state": "open"}]}, 2103),
        ({"ranges": [{**RANGES[0], "state": "ajar"}]}, 2104),
        ({"ranges": [{**RANGES[0], "upperlimit": 2.5}]}, 2104),
        ({"ranges": RANGES[:1]}, 2104),
        ({"ranges": [*RANGES[:2], {**RANGES[2], "lowerlimit": 1100}]}, 2104),
        ({"ranges": [RANGES[1], {**RANGES[2], "upperlimit": 100_000}]}, 2104),
        ({"colour": 1}, 2104),
    ],
)
async def test_a_bad_entry_is_named_and_nothing_is_set(change: dict[str, Any], code: int) -> None:
    device = Device()
    before = device.bench.ledger.store.records()
    good = {"port": "1", "supervised": True}
    error = (await device.call("setSupervised", [good, {"port": "0", "supervised": True, **change}]))["error"]
    assert error["code"] == code
    assert [(fault["port"], fault["code"]) for fault in error["errors"]] == [(str(change.get("port", "0") or ""), code)]
    assert device.bench.ledger.store.records() == before


async def test_who_may_and_what_is_no_call() -> None:
    device = Device()
    assert (await device.call("getSupervised", role=Role.VIEWER))["error"]["code"] == 2105
    assert (await device.call("setSupervised"))["error"]["code"] == 2103
    assert (await device.call("setSupervised", "port"))["error"]["code"] == 2104
    assert (await device.call("getEverything"))["error"]["code"] == 2102


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["0", "open", "close"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["port", "supervised", "ranges", "state", "lowerlimit", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
async def test_whatever_is_sent_is_answered(params: Any) -> None:
    device = Device()
    before = device.bench.ledger.store.records()
    reply = await device.call("setSupervised", params)
    assert ("data" in reply) != ("error" in reply)
    if "error" in reply:
        assert reply["error"]["code"] in (2103, 2104, 2200)
        assert device.bench.ledger.store.records() == before

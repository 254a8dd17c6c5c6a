"""Streams that come and go, with changing thresholds: counted against a list, and a call is there when one is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from intercom_bench import IntercomBench

from axcore.devices.call import DECLINED, Drop, Step, Talk, Told, join
from axcore.model.intercom import StreamKind, VmsSettings
from axcore.services.intercom import vms

KIND = st.sampled_from(vms.KINDS)
LIMIT = st.integers(-1, 3)
SETTINGS = st.builds(VmsSettings, enabled=st.booleans(), **{f"{kind}_streams": LIMIT for kind in vms.KINDS})
REACHED = st.frozensets(KIND)
STEP = st.one_of(
    st.tuples(st.just("on"), KIND, st.integers(0, 5)),
    st.tuples(st.just("on"), KIND, st.integers(0, 5)),
    st.tuples(st.just("off"), KIND, st.integers(0, 5)),
    st.tuples(st.just("set"), st.sampled_from(("enabled", *vms.KINDS)), LIMIT),
    st.tuples(st.sampled_from(("call", "answer", "hang up")), KIND, st.just(0)),
)


@given(st.lists(KIND, max_size=8), SETTINGS)
def test_a_kind_is_reached_by_its_own_streams_only(streams: list[StreamKind], known: VmsSettings) -> None:
    found = vms.reached(streams, known)
    for kind in vms.KINDS:
        threshold = getattr(known, f"{kind}_streams")
        assert (kind in found) == (known.enabled and threshold > 0 and streams.count(kind) >= threshold)


@given(REACHED, REACHED, st.sampled_from(("", *vms.KINDS)))
def test_what_streams_mean_for_a_call_of_software(before: Any, after: Any, holds: Any) -> None:
    call = join("1", "1.0", vms.VMS, 0)[0]
    act, kind = vms.meaning(call, holds, before, after)
    ends = holds in before - after if holds else bool(before - after)
    assert act == ("end" if ends else "")
    assert kind == "" if ends else kind in {holds, *(after - before)}
    act, kind = vms.meaning(None, "", before, after)
    assert (act, bool(kind)) == (("begin", True) if after - before else ("", False))


@given(st.lists(st.sampled_from(("rings", "accept", "answered", "advance", "other")), max_size=8))
def test_a_call_that_was_joined_lasts_until_it_is_ended(what: list[str]) -> None:
    call, effects = join("1", "1.0", vms.VMS, 0)
    assert effects == (Talk("1.0"), Told("Active", ""))
    for now, one in enumerate(what, 10**15):
        steps: dict[str, Callable[[], Step]] = {
            "rings": lambda: call.rings("1.0"),
            "accept": call.accept,
            "answered": lambda now=now: call.answered("1.0", now),
            "advance": lambda now=now: call.advance(now),
            "other": lambda now=now: call.leg_over("1.1", "", now),
        }
        assert steps[one]() == (call, ())
    ending, effects = call.hang_up("ended", 5)
    assert effects == (Drop("1.0", DECLINED), Told("Terminating", "ended"))
    over, effects = ending.leg_over("1.0", "over", 6)
    assert (over.state, effects) == ("Terminated", (Told("Terminated", "ended"),))


class Model:
    """Streams as a list, and which kind was reached, told anew at each step."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, int], str] = {}
        self.known = VmsSettings()
        self.reached: set[str] = set()
        self.holds = ""
        self.state = ""
        """Of the call: empty, ``offered`` or ``active``."""

    def weigh(self) -> None:
        limits = {kind: getattr(self.known, f"{kind}_streams") for kind in vms.KINDS}
        counts = {kind: [*self.streams.values()].count(kind) for kind in vms.KINDS}
        now = {kind for kind in vms.KINDS if self.known.enabled and 0 < limits[kind] <= counts[kind]}
        risen, fallen = [kind for kind in vms.KINDS if kind in now - self.reached], self.reached - now
        self.reached = now
        if not self.known.enabled:
            self.state = self.holds = ""
        elif self.state != "active":
            if risen:
                self.state, self.holds = "active", risen[0]
        elif self.holds in fallen or (fallen and not self.holds):
            self.state = self.holds = ""
        elif not self.holds and risen:
            self.holds = risen[0]


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_random_lives(steps: Sequence[tuple[str, Any, int]]) -> None:
    bench, model = IntercomBench(on=False, media=False), Model()
    intercom = bench.intercom
    bench.do(lambda tx: intercom.vms.set(tx, {"timeout": 600}))
    for what, kind, number in steps:
        call = intercom.live
        match what:
            case "on" | "off":
                name, on = (kind, number), what == "on"
                bench.do(lambda tx, kind=kind, name=name, on=on: intercom.on_stream(tx, kind, name, started=on))
                model.streams.pop(name, None)
                model.streams.update({name: kind} if on else {})
                model.weigh()
            case "set":
                patch = {"enabled": number > 0} if kind == "enabled" else {f"{kind}_streams": number}
                model.known = bench.do(lambda tx, patch=patch: intercom.vms.set(tx, patch))
                model.weigh()
            case "call" if call is None and model.known.enabled:
                bench.call("VMS_CALL")
                model.state, model.holds = "offered", ""
            case "answer" if call is not None and call.state == "Calling":
                bench.do(lambda tx, key=call.id: intercom.answer(tx, key))
                model.state = "active"
            case "hang up" if call is not None:
                bench.do(lambda tx, key=call.id: intercom.hang_up(tx, key))
                model.state = model.holds = ""
        call = intercom.live
        state = "" if call is None else "offered" if call.state == "Calling" else "active"
        assert state == model.state
        assert len({one.id for one in intercom.calls() if one.state != "Terminated"}) == bool(state)

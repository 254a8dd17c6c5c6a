"""RFC 4475 at a door station: 49 messages, each answered as an endpoint may; the door goes on, and so do calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import rfc4475
from rfc4475 import Torture
from sip_peers import T1, Message, Peer
from test_calls import Station

from axcore.model import events
from axcore.model.voice import Incoming
from axcore.testing.phone import Phone

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")


ATTEMPTS = 5
"""A request may be dropped by the ingress limit, and come back."""


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    found = Station(tmp_path, allow_incoming=True)
    yield found
    found.close()


def answers(station: Station, peer: Peer, torture: Torture) -> list[int]:
    """What it said to the message, until it has said all: requests that came later have been answered."""
    last = torture.call[-60:]

    def about(one: Message) -> bool:
        return one["call-id"].endswith(last) or not one["call-id"]

    for _ in range(ATTEMPTS):
        peer.waiting.clear()
        peer.send(torture.data)
        peer.options()
        heard = [one for one in peer.waiting if about(one)]
        while heard and all(one.status < 200 for one in heard):  # a call: the device decides
            for call in station.intercom.calls():
                if call.state in ("Calling", "Active"):
                    station.do(lambda tx, key=call.id: station.intercom.hang_up(tx, key))
            found = peer.receive(T1)
            heard += [found] if found is not None and about(found) else []
        if heard or torture.silent:
            return [one.status for one in heard if one.status >= 200]
    return []


def test_forty_nine_messages(station: Station) -> None:
    ready = station.intercom.lines[0]
    assert ready is not None
    pids = [process.pid for process in station.lines.processes]
    wrong, seen = [], []
    with Peer(ready.port) as peer:
        for number, torture in enumerate(rfc4475.messages(peer.device, peer.place)):
            said = answers(station, peer, torture)
            seen.append(torture.name)
            print(torture.name, torture.section, said)
            if not (set(said) <= torture.codes and (said or torture.silent)):
                wrong.append((torture.name, torture.section, said))
            if number == 24:
                station.device.board.feed_input("rex", True, None)
                station.tap.expect("relay1", True, 120.0)
                assert [edge.active for edge in station.tap.edges] == [True]
                station.device.board.feed_input("rex", False, None)
    assert wrong == []
    assert len(seen) == len(set(seen)) == 49
    assert [process.pid for process in station.lines.processes] == pids
    station.tap.expect("relay1", False, 120.0)
    assert station.tap.drain() == []
    with Phone("ada") as ada:
        station.until(lambda: not station.media.open_legs, 120.0)
        station.unlock_by("1")
        key = station.contact(ada)
        station.do(lambda tx: station.intercom.call(tx, key))
        ada.wait(Incoming, 120.0)
        ada.answer()
        station.expect(events.CALL_STATE, 30.0, CallState="Active")
        ada.press("1")
        station.tap.expect("relay1", True, 120.0)

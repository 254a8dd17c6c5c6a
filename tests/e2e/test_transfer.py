"""REFER (RFC 3515): the station calls somebody in the place of its peer, with its own sound; or says why not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sip_peers import Dialog, Message, Peer
from test_sip_midcall import SDP, Scene

from axcore.devices.call import MOST_TRANSFERS
from axcore.model import events
from axcore.model.voice import Ended, Incoming
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, own_sound=True, allow_transfer=True)
    yield made
    made.close()


def refer(dialog: Dialog, to: str, *headers: str) -> int:
    return dialog.transact("REFER", f"Refer-To: {to}", *headers).status


def told(scene: Scene, status: int) -> Message:
    """Wait until the peer is told how the transfer goes; what comes before is answered too."""
    while True:
        found = scene.request("NOTIFY")
        scene.peer.reply(found, 200)
        assert found["content-type"].replace(" ", "") == "message/sipfrag;version=2.0"
        assert found["event"].startswith("refer")
        assert len(found.all("contact")) == 1
        last = int(found.body.split()[1]) >= 200
        assert found["subscription-state"].startswith("terminated" if last else "active")
        if found.body.startswith(f"SIP/2.0 {status} "):
            return found
        assert not last, found.body


def test_transfer_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    try:
        dialog = scene.called()
        with Phone("eve") as eve:
            assert refer(dialog, f"<{eve.uri}>") == 603
            assert scene.station.expect(events.SYSTEM_FAULT, PATIENCE).data["reason"].startswith("transfer")
            scene.state("Active")
            assert dialog.bye() == 200
            assert eve.reports.empty()
    finally:
        scene.close()


def test_a_transfer_is_a_call_of_the_station_with_its_sound(scene: Scene) -> None:
    dialog = scene.called()
    scene.hears()
    with Phone("eve") as eve:
        assert refer(dialog, f'"Eve" <{eve.uri};method=INVITE>;x=y') == 202
        told(scene, 100)
        eve.wait(Incoming, PATIENCE)
        scene.hears()  # until somebody answers, it stays as it is
        eve.answer(180)
        told(scene, 180)
        eve.answer()
        told(scene, 200)
        scene.request("BYE")
        (call,) = scene.station.intercom.calls()
        scene.station.until(lambda: scene.station.intercom.calls()[-1].remote_uri == eve.uri, PATIENCE)
        assert (call.state, call.direction) == ("Active", "Incoming")
        assert eve.heard(PATIENCE)
        scene.hears_nothing()
        eve.hang_up()
        scene.state("Terminated")
    assert scene.station.intercom.admission.counts == {}


def test_who_refuses_leaves_the_call_as_it_was(scene: Scene) -> None:
    dialog = scene.called()
    with Phone("eve") as eve:
        assert refer(dialog, f"<{eve.uri}>") == 202
        eve.wait(Incoming, PATIENCE)
        eve.answer(486)
        told(scene, 486)
        scene.state("Active")
        scene.hears()
        assert refer(dialog, f"<{eve.uri}>") == 202  # and once more
        eve.wait(Incoming, PATIENCE)
        eve.answer()
        told(scene, 200)
        scene.request("BYE")
        eve.hang_up()
        scene.state("Terminated")


def test_a_peer_that_leaves_before_the_answer(scene: Scene) -> None:
    dialog = scene.called()
    with Phone("eve") as eve:
        assert refer(dialog, f"<{eve.uri}>") == 202
        eve.wait(Incoming, PATIENCE)
        assert dialog.bye() == 200
        eve.answer()
        scene.station.until(lambda: scene.station.intercom.calls()[-1].remote_uri == eve.uri, PATIENCE)
        assert eve.heard(PATIENCE)
        scene.station.do(lambda tx: scene.station.intercom.hang_up(tx, scene.station.intercom.calls()[-1].id))
        eve.wait(Ended, PATIENCE)
        scene.state("Terminated")


def test_one_transfer_at_a_time(scene: Scene) -> None:
    dialog = scene.called()
    with Phone("eve") as eve, Phone("bob") as bob:
        assert refer(dialog, f"<{eve.uri}>") == 202
        told(scene, 100)
        eve.wait(Incoming, PATIENCE)
        for _ in range(20):
            assert refer(dialog, f"<{bob.uri}>") == 603
        assert dialog.bye() == 200
        eve.answer(603)
        scene.state("Terminated")
        assert bob.reports.empty()
        scene.station.until(lambda: scene.station.intercom.admission.counts.get("transfer") == 20, PATIENCE)


def test_a_storm_of_transfers(scene: Scene) -> None:
    dialog = scene.called()
    for number in range(200):
        dialog.cseq += 1
        scene.peer.send(dialog.text("REFER", "Refer-To: <sip:x@127.0.0.1;method=BYE>" if number % 2 else "X: y"))
        if number % 25 == 24:
            scene.peer.options()
    scene.station.until(lambda: scene.station.intercom.admission.counts.get("transfer", 0) > 0, PATIENCE)
    scene.state("Active")
    scene.hears()
    assert dialog.bye() == 200


def test_an_attended_transfer_says_whose_place_it_takes(scene: Scene) -> None:
    dialog = scene.called()
    with Peer(int(scene.peer.device.rpartition(":")[2])) as eve:
        replaces = "abc%40host%3Bto-tag%3D1%3Bfrom-tag%3D2"
        assert refer(dialog, f"<{eve.uri}?Replaces={replaces}&Subject=evil>") == 202
        invite = eve.expect(lambda one: one.method == "INVITE")
        assert invite["replaces"] == "abc@host;to-tag=1;from-tag=2"
        assert not invite["subject"]
        eve.reply(invite, 200, SDP, body=scene.offer())
        told(scene, 200)
        scene.request("BYE")
        assert Dialog.of(eve, invite).bye() == 200
        scene.state("Terminated")


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("", 400),
        ("<>", 400),
        ("<sip:>", 400),
        ("<sip:eve@127.0.0.1", 400),
        ("<tel:+4670>", 400),
        ("<sip:eve@127.0.0.1:99999>", 400),
        ("<sip:eve:secret@127.0.0.1>", 400),
        ("<sip:eve@127.0.0.1;method=BYE>", 400),
        ("<sip:eve@127.0.0.1?Replaces=x>", 400),
        ("<sip:eve@127.0.0.1?Replaces=a%0D%0AEvil:1%3Bto-tag%3D1%3Bfrom-tag%3D2>", 400),
        (f"<sip:{'e' * 1000}@127.0.0.1>", 400),
        ("<sip:eve@127.0.0.1>, <sip:bob@127.0.0.1>", 400),
        ("<sip:\u00e9@127.0.0.1>", 400),
        ("ITSELF", 403),
    ],
)
def test_what_can_never_be_is_refused_at_once(scene: Scene, to: str, status: int) -> None:
    dialog = scene.called()
    assert refer(dialog, to.replace("ITSELF", f"<sip:x@{scene.peer.device}>")) == status
    scene.state("Active")
    scene.hears()
    assert dialog.bye() == 200


def test_without_or_with_two_addresses(scene: Scene) -> None:
    dialog = scene.called()
    assert dialog.transact("REFER").status == 400
    two = ("Refer-To: <sip:a@127.0.0.1:9>", "r: <sip:b@127.0.0.1:9>")
    assert dialog.transact("REFER", *two).status == 400
    assert dialog.bye() == 200


def test_the_access_list_counts_for_transfers(tmp_path: Path) -> None:
    listed = {"use_access_list": True, "access_list_policy": "block", "access_list": ("eve",)}
    scene = Scene(tmp_path, own_sound=True, allow_transfer=True, **listed)
    dialog = scene.called()
    with Phone("eve") as eve:
        assert refer(dialog, f"<{eve.uri}>") == 202
        told(scene, 403)
        assert scene.station.expect(events.SYSTEM_FAULT, PATIENCE).data["reason"].startswith("transfer")
        assert eve.reports.empty()
    scene.hears()
    assert dialog.bye() == 200
    scene.close()


def test_outside_of_a_dialogue_nobody_transfers(scene: Scene) -> None:
    data = scene.peer.request("REFER", headers=[f"Refer-To: <{scene.peer.uri}>"])
    assert scene.peer.ask(data, lambda one: one.method == "REFER").status == 403
    unknown = Dialog(scene.peer, remote_to=f"<sip:device@{scene.peer.device}>;tag=guess")
    assert refer(unknown, f"<{scene.peer.uri}>") == 481
    assert scene.called().bye() == 200


def test_round_and_round_comes_to_an_end(scene: Scene) -> None:
    """Two telephones that send the call to each other for ever."""
    dialog, seen = scene.called(), 0
    with Peer(int(scene.peer.device.rpartition(":")[2])) as other:
        peers = [(other, scene.peer), (scene.peer, other)]
        while True:
            to, by = peers[seen % 2]
            assert refer(dialog, f"<{to.uri}>") == 202
            word = invited_or_refused(to, by)
            if word.method == "NOTIFY":
                break
            to.reply(word, 200, SDP, body=scene.offer())
            by.expect(lambda one: one.method == "BYE" and one.status == 0)
            dialog, seen = Dialog.of(to, word), seen + 1
        assert word.body.startswith("SIP/2.0 603 ")
        assert seen == MOST_TRANSFERS
        assert dialog.bye() == 200
    scene.state("Terminated")


def invited_or_refused(to: Peer, by: Peer) -> Message:
    """The INVITE to one, or the word of refusal to the other."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            return to.expect(lambda one: one.method == "INVITE" and one.status == 0, 0.05)
        with contextlib.suppress(TimeoutError):
            notify = by.expect(lambda one: one.method == "NOTIFY" and one.status == 0, 0.05)
            by.reply(notify, 200)
            if int(notify.body.split()[1]) >= 300:
                return notify
    raise TimeoutError("neither a call nor a refusal")

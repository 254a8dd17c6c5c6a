"""A telephone of others: baresip and the station call each other, talk, and open the door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from baresip_peer import Baresip, missing
from test_calls import Station

from axcore.drivers.call_media import CallMedia
from axcore.model import events
from axcore.model.intercom import SipAccountSpec
from axcore.model.voice import Incoming
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")

CODECS = ["PCMU/8000/1", "PCMA/8000/1", "G722/16000/1", "L16/44100/1"]
WORDS, FRAMES = 4, 30
TONE = (9000 * np.sin(2 * np.pi * 700 / 16000 * np.arange(160))).astype(np.int16)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    found = Station(tmp_path, answers=True, own_sound=True, codecs=["PCMU", "PCMA", "G722", "L16"])
    yield found
    found.close()


def media(station: Station) -> CallMedia:
    assert station.device.intercom is not None
    own = station.device.intercom.media
    assert own is not None
    return own


def talk_and_listen(station: Station) -> None:
    """A visitor speaks, and the telephone is heard at the station."""
    own = media(station)
    station.until(lambda: own.sound is not None and own.sound.stats.legs, PATIENCE)
    sound = own.sound
    assert sound is not None
    station.until(lambda: sound.stats.speaker_db > -40, PATIENCE)
    for _ in range(WORDS):
        for _ in range(FRAMES):
            sound.talk(TONE)
        ticks = sound.thread_stats.ticks
        station.until(lambda ticks=ticks: sound.thread_stats.ticks > ticks + FRAMES, PATIENCE)


@pytest.mark.parametrize("codec", CODECS)
def test_the_station_calls_and_a_key_opens_the_door(station: Station, tmp_path: Path, codec: str) -> None:
    with Baresip(tmp_path / "bob", codec=codec) as bob:
        station.unlock_by("1")
        call = station.do(lambda tx: station.intercom.call(tx, bob.uri))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        talk_and_listen(station)
        bob.press("1")
        station.tap.expect("relay1", True, PATIENCE)
        assert station.intercom.status(call.id).codec == codec.partition("/")[0]
        station.do(lambda tx: station.intercom.hang_up(tx, call.id))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        station.until(lambda: bob.heard() > 1000, PATIENCE)


@pytest.mark.parametrize("codec", CODECS)
def test_it_calls_the_station(station: Station, tmp_path: Path, codec: str) -> None:
    with Baresip(tmp_path / "bob", codec=codec) as bob:
        bob.command("dial", station.uri)
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        talk_and_listen(station)
        assert station.intercom.calls()[-1].codec == codec.partition("/")[0]
        bob.command("hangup")
        station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
        assert station.intercom.calls()[-1].state == "Terminated"
        station.until(lambda: bob.heard() > 1000, PATIENCE)


def test_srtp_that_both_insist_on(station: Station, tmp_path: Path) -> None:
    """Over TLS, as the settings want it."""
    spec = SipAccountSpec(name="secure", transport="tls", encryption="mandatory")
    station.restart(lambda tx: station.intercom.accounts.add_account(tx, spec, key="secure"))
    with Baresip(tmp_path / "bob", encryption="srtp-mand", transport="tls") as bob:
        station.unlock_by("7")
        station.do(lambda tx: station.intercom.call(tx, bob.uri, "secure"))
        station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
        talk_and_listen(station)
        bob.press("7")
        station.tap.expect("relay1", True, PATIENCE)


def test_keys_of_srtp_when_it_calls(tmp_path: Path) -> None:
    with Phone("ada", encryption="mandatory") as ada, Baresip(tmp_path / "bob", encryption="srtp-mand") as bob:
        bob.command("dial", ada.uri)
        ada.wait(Incoming, PATIENCE)
        ada.answer()
        assert ada.media is not None
        assert ada.media.media.local_crypto
        assert ada.media.media.remote_crypto


def test_it_sends_a_call_of_the_station_to_somebody_else(tmp_path: Path) -> None:
    station = Station(tmp_path, own_sound=True, allow_transfer=True)
    try:
        with Baresip(tmp_path / "bob") as bob, Phone("eve") as eve:
            call = station.do(lambda tx: station.intercom.call(tx, bob.uri))
            station.expect(events.CALL_STATE, PATIENCE, CallState="Active")
            bob.command("transfer", eve.uri)
            eve.wait(Incoming, PATIENCE)
            eve.answer(180)
            eve.answer()
            station.until(lambda: station.intercom.status(call.id).remote_uri == eve.uri, PATIENCE)
            assert eve.heard(PATIENCE)

            def legs() -> list[str]:
                live = station.intercom.live
                return [] if live is None else [leg.state for leg in live.legs]

            station.until(lambda: legs() == ["over", "answered"], PATIENCE)
            eve.hang_up()
            station.expect(events.CALL_STATE, PATIENCE, CallState="Idle")
    finally:
        station.close()

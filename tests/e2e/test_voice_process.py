"""Voice processes on loopback: two of them call each other; killed and flooded ones come back."""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from axcore.drivers import voice
from axcore.model.voice import Digit, Ended, HangUp, Incoming, Progress, Ready, Refused, Registration, TlsSettings
from axcore.testing.phone import Phone
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

TRIES = 6


def test_what_the_build_can_do_is_read_and_not_assumed() -> None:
    with Phone("ada") as ada:
        assert ada.ready is not None
        assert ada.ready.version.startswith("2.")
        assert ada.ready.max_calls >= 4
        assert {"PCMU", "PCMA", "G722"} <= set(ada.ready.codecs)
        assert ada.ready.port > 1023


def test_a_call_agrees_on_the_sockets_of_both_devices() -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        ada.call(bob.uri)
        incoming = bob.wait(Incoming)
        assert incoming.remote == '"ada" <sip:ada@127.0.0.1>'
        bob.answer(180)
        assert ada.wait(Progress).code == 180
        bob.answer()
        ada.connected()
        assert ada.media is not None
        assert bob.media is not None
        assert (ada.media.media.remote_port, bob.media.media.remote_port) == (bob.port, ada.port)
        assert ada.media.media.codec == "PCMU"
        ada.press("5")
        assert bob.heard()[1] & 0x7F == bob.media.media.event_receive_type
        ada.info("1#")
        assert [bob.wait(Digit).digit for _ in range(2)] == ["1", "#"]
        bob.hang_up()
        assert ada.wait(Ended).code == 200
        bob.wait(Ended)


def test_keys_of_srtp_are_known_to_both_sides() -> None:
    with Phone("ada", encryption="mandatory") as ada, Phone("bob", encryption="best_effort") as bob:
        ada.call(bob.uri)
        bob.wait(Incoming)
        bob.answer()
        ada.connected()
        assert ada.media is not None
        assert bob.media is not None
        ours, theirs = ada.media.media, bob.media.media
        assert ours.local_crypto.startswith("1 AES_CM_128_HMAC_SHA1_80 inline:")
        assert (ours.local_crypto, ours.remote_crypto) == (theirs.remote_crypto, theirs.local_crypto)


def test_a_refused_and_a_cancelled_call_end_with_their_codes() -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        ada.call(bob.uri)
        bob.wait(Incoming)
        bob.answer(486)
        assert ada.wait(Ended).code == 486
        ada.call(bob.uri)
        bob.wait(Incoming)
        ada.hang_up()
        assert bob.wait(Ended).code == 487


def test_nobody_there_and_nonsense_end_the_leg_and_not_the_process() -> None:
    with Phone("ada") as ada:
        pid = ada.process.pid
        for uri in ("sip:x@127.0.0.1:1", "sip:", "nonsense", "sip:" + "a" * 5000):
            ada.call(uri)
            if uri != "sip:x@127.0.0.1:1":
                assert ada.wait(Ended).code >= 400
            else:
                ada.hang_up()
                ada.wait(Ended)
        assert ada.process.pid == pid


def test_more_calls_than_the_build_has_are_refused_one_by_one() -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        assert ada.ready is not None
        from axcore.model.voice import Invite, LocalMedia

        count = ada.ready.max_calls + 2
        for number in range(count):
            ada.process.send(Invite(leg=f"leg{number}", account="phone", uri=bob.uri, media=LocalMedia(port=ada.port)))
        assert [ada.wait(Ended).leg for _ in range(2)] == [f"leg{count - 2}", f"leg{count - 1}"]


def a_start() -> float:
    """Seconds that a voice process takes to start just now."""
    began = time.monotonic()
    with Phone("eve"):
        return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_a_process_that_dies_is_back_within_two_seconds(number: signal.Signals) -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        for _ in range(TRIES):  # Once more where the machine was busy with others.
            assert ada.process.pid is not None
            began = time.monotonic()
            os.kill(ada.process.pid, number)
            ada.ready = ada.wait(Ready)
            took = time.monotonic() - began
            assert ada.lost.get(timeout=PATIENCE) == f"ended by signal {number.value}"
            if (
                took < 2.0 or took < 3 * a_start()
            ):  # where a process takes long to start at all, it is back after as long
                break
        else:
            pytest.fail(f"it was back after {took:.1f} s, again and again")
        ada.call(bob.uri)
        bob.wait(Incoming)


def test_a_process_that_hangs_is_ended_and_another_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "LOOK_S", 2.0)  # longer than between two proofs of life, if there are two of them
    with Phone("ada") as ada, Phone("bob") as bob:
        pid = ada.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        assert ada.lost.get(timeout=PATIENCE) == "does not answer any more"
        ada.ready = ada.wait(Ready)
        assert ada.process.pid not in (None, pid)
        ada.call(bob.uri)  # who is as he was
        bob.wait(Incoming)
        assert bob.process.starts == 1


def test_a_process_whose_tls_front_hangs_says_so_and_another_one_comes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(voice, "MODULE", "hung_front")
    monkeypatch.setenv("HUNG_FRONT", str(tmp_path / "hung"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(Path(__file__).parent), *sys.path)))
    with Phone("ada", transport="tls", tls=TlsSettings()) as ada:
        told = ada.wait(Refused)
        assert (told.what, told.detail) == ("tls", "the TLS front does not answer any more: SIP begins anew")
        assert ada.lost.get(timeout=PATIENCE) == "it has ended"
        ada.ready = ada.wait(Ready)
        assert ada.process.starts == 2


def test_many_commands_at_once_are_all_taken() -> None:
    with Phone("ada") as ada, Phone("bob") as bob:
        assert ada.ready is not None
        for number in range(2000):  # more than one read of its socket takes
            ada.process.send(HangUp(leg=f"nobody{number}"))
        ada.call(bob.uri)
        bob.wait(Incoming)


def test_it_ends_with_the_device() -> None:
    with Phone("ada") as ada:
        process = ada.process._process
        assert process is not None
        connection = ada.process._socket
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)
        assert process.wait(30) == 0


def invite(number: int, port: int) -> bytes:
    return (
        f"INVITE sip:ada@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:flood@127.0.0.1>;tag={number}\r\nTo: <sip:ada@127.0.0.1>\r\n"
        f"Call-ID: flood{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:flood@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def test_ten_thousand_invites_are_dropped_and_the_next_caller_is_served() -> None:
    low = {"most_load": 0.02}  # so that this machine reaches it
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with Phone("ada", configure=low) as ada, Phone("bob") as bob, udp as flood:
        assert ada.ready is not None
        pid = ada.process.pid
        place = ("127.0.0.1", ada.ready.port)
        for number in range(10_000):
            flood.sendto(invite(number, ada.ready.port), place)
            if number % 200 == 199:
                time.sleep(0.05)  # wall clock: faster, and the kernel drops them for want of room
        told, served = [], ""
        bob.call(ada.uri)
        until = time.monotonic() + PATIENCE
        while not (told and served):
            assert time.monotonic() < until
            report = None
            with contextlib.suppress(TimeoutError):
                report = ada.wait(object, 0.1)
            if isinstance(report, Refused) and report.what == "flood":
                told.append(report)
            elif isinstance(report, Incoming):
                if "bob" in report.remote:
                    served = report.leg
                else:
                    ada.answer(486)
            while not bob.reports.empty():
                if isinstance(bob.reports.get(), Ended):  # all calls were taken
                    bob.call(ada.uri)
        ada.leg, ada.media = served, None
        ada.answer()
        bob.connected()
        assert ada.process.pid == pid


def test_a_registrar_that_is_not_there_stops_nothing() -> None:
    with Phone("ada", registrar="sip:127.0.0.1:1", username="ada", password="x") as ada:
        with contextlib.suppress(TimeoutError):  # the transaction may take 32 s to give up
            assert not ada.wait(Registration, 0.5).active
        with Phone("bob") as bob:
            bob.call(ada.uri)
            ada.wait(Incoming)

"""How long calls take on loopback, seen from outside: ``python bench/calls.py [--rounds 30]``.

A door station in this process, its voice processes, and telephones that are bare sockets with just enough SIP (RFC
3261). Printed: button edge to the first INVITE, spread of the six INVITEs of a group, answer to the last CANCEL, DTMF
key to relay edge, INVITE to 200 with auto answer beside a bare pjsua2 program, idle load. Absolute times: never gated.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axcore.app.device import Device
from axcore.interfaces.cli.instance import Tap
from axcore.model import events
from axcore.model.actions import ToggleIoOnce
from axcore.model.config import Config, NetworkConfig
from axcore.model.intercom import ContactSpec, DtmfSequenceSpec
from axcore.model.rules import Condition, RuleSpec
from axcore.model.voice import Ended, Incoming
from axcore.testing.media import RtpMedia
from axcore.testing.phone import Phone

HOST = "127.0.0.1"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)
BARE = """
import sys, pjsua2 as pj
class Account(pj.Account):
    def onIncomingCall(self, prm):
        self.call = pj.Call(self, prm.callId)
        answer = pj.CallOpParam(); answer.statusCode = 200; self.call.answer(answer)
endpoint = pj.Endpoint(); endpoint.libCreate(); config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0; config.uaConfig.threadCnt = 0
endpoint.libInit(config); transport = pj.TransportConfig(); transport.boundAddress = "127.0.0.1"
udp = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport); endpoint.libStart()
endpoint.audDevManager().setNoDev(); settings = pj.AccountConfig(); settings.idUri = "sip:bare@127.0.0.1"
settings.mediaConfig.useLoopMedTp = True; account = Account(); account.create(settings, True)
print("PORT", endpoint.transportGetInfo(udp).localAddress.rpartition(":")[2], flush=True)
while True:
    endpoint.libHandleEvents(100)
"""


class Telephone:
    """A socket that speaks SIP: answers requests by rote."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.port = int(self.socket.getsockname()[1])
        self.invite: tuple[bytes, Any] | None = None

    def reply(self, request: bytes, place: Any, status: str, body: str = "") -> None:
        """Answer a request."""
        lines = request.decode().split("\r\n\r\n")[0].split("\r\n")
        kept = [one for one in lines if one.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        kept = [one + ";tag=t" if one.startswith("To:") and ";tag=" not in one else one for one in kept]
        more = [f"Contact: <sip:x@{HOST}:{self.port}>", f"Content-Length: {len(body)}"]
        more += ["Content-Type: application/sdp"] if body else []
        self.socket.sendto(("\r\n".join([f"SIP/2.0 {status}", *kept, *more]) + "\r\n\r\n" + body).encode(), place)

    def call(self, place: tuple[str, int], number: int, sdp: str = SDP, user: str = "d") -> tuple[float, bytes]:
        """INVITE until 200, in ms, and the answer."""
        names = (f"<sip:x@{HOST}>;tag=f{number}", f"<sip:{user}@{HOST}>", f"c{number}-{self.port}")
        more = (f"Contact: <sip:x@{HOST}:{self.port}>", "Content-Type: application/sdp")
        head = self._request("INVITE", place, number, 1, names, more, sdp, user)
        began = time.perf_counter()
        self.socket.sendto(head, place)
        self.socket.settimeout(3)
        while True:
            answer = self.socket.recv(65536)
            if answer.startswith(b"SIP/2.0 200") and b"INVITE" in answer:
                return (time.perf_counter() - began) * 1000, answer
            if answer[8:9] in (b"4", b"5", b"6"):
                raise RuntimeError(answer.decode())

    def acknowledge(self, place: tuple[str, int], answer: bytes, number: int) -> tuple[str, str, str]:
        """ACK; gives the names of the dialog."""
        lines = answer.decode().split("\r\n")
        named = {one.split(":")[0]: one for one in lines if ":" in one}
        sender, to, call = (named[name].partition(": ")[2] for name in ("From", "To", "Call-ID"))
        self.socket.sendto(self._request("ACK", place, number, 1, (sender, to, call)), place)
        return sender, to, call

    def end(self, place: tuple[str, int], answer: bytes, number: int) -> None:
        """ACK and BYE."""
        names = self.acknowledge(place, answer, number)
        self.socket.sendto(self._request("BYE", place, number, 2, names), place)
        while b"BYE" not in self.socket.recv(65536):
            pass

    def _request(  # noqa: PLR0917 - the parts of a request
        self, method: str, place: tuple[str, int], number: int, sequence: int, names: tuple[str, str, str],
        more: tuple[str, ...] = (), body: str = "", user: str = "d",
    ) -> bytes:  # fmt: skip
        sender, to, call = names
        lines = (
            f"{method} sip:{user}@{HOST}:{place[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};rport;branch=z9hG4bK{method}{number}",
            "Max-Forwards: 70",
            f"From: {sender}",
            f"To: {to}",
            f"Call-ID: {call}",
            f"CSeq: {sequence} {method}",
            *more,
            f"Content-Length: {len(body)}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Station:
    """A door station, and how to press its button. ``sound``: with its simulated room and the native audio thread."""

    def __init__(self, folder: Path, *, sound: bool = False) -> None:
        self.tap, self.media = Tap(folder / "tap"), None if sound else RtpMedia()
        config = Config(network=NetworkConfig(bind=HOST))
        self.device = Device("a8207-ve-mk2", folder / "d", config=config, tap=str(self.tap.path), media=self.media)
        self.device.start()
        assert self.device.intercom is not None
        self.lines, self.intercom = self.device.intercom.lines, self.device.intercom.service
        patch = {"enabled": True, "port": 0, "rtp_start_port": 30000, "allow_incoming": True}
        self.do(lambda tx: self.intercom.accounts.set_settings(tx, patch))
        self.do(lambda tx: self.intercom.accounts.update_account(tx, "peer-to-peer", {"auto_answer": True}))
        time.sleep(1.5)
        self.until(lambda: all(self.intercom.lines))

    def do(self, job: Callable[[Any], Any]) -> Any:
        return self.device.ledger.submit(job).result(timeout=10)

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.005)

    def press(self) -> float:
        """Press and let go; when, on ``perf_counter``."""
        board = self.device.board
        self.until(lambda: not board.input_active("callbutton"))
        began = time.perf_counter()
        board.feed_input("callbutton", True, None)
        self.until(lambda: board.input_active("callbutton"))
        board.feed_input("callbutton", False, None)
        return began

    def stop(self) -> None:
        """End all of it."""
        self.device.stop()
        if self.media is not None:
            self.media.close()
        self.tap.close()

    def idle(self) -> None:
        """Wait until there is no call."""
        self.until(lambda: all(call.state == "Terminated" for call in self.intercom.calls()))


def line(name: str, values: list[float]) -> None:
    """A row of the table."""
    values = sorted(values)
    p95, p99 = (values[min(len(values) - 1, round(part * len(values)))] for part in (0.95, 0.99))
    told = f"p50 {statistics.median(values):7.2f}  p95 {p95:7.2f}  p99 {p99:7.2f}  max {values[-1]:7.2f} ms"
    print(f"{name:48} {told}  (n={len(values)})")


def answer_and_end(station: Station, selector: selectors.BaseSelector, phones: list[Telephone]) -> float:
    """The first phone answers, the others are cancelled, the button ends the call; ms to the last CANCEL."""
    winner = phones[0]
    assert winner.invite is not None
    answered = last = time.perf_counter()
    winner.reply(*winner.invite, "200 OK", SDP)
    left = {phone for phone in phones if phone is not winner}
    while left:
        for key, _ in selector.select(3):
            data, place = key.data.socket.recvfrom(65536)
            if data.startswith(b"CANCEL"):
                last = time.perf_counter()
                key.data.reply(data, place, "200 OK")
                key.data.reply(*key.data.invite, "487 Request Terminated")
                left.discard(key.data)
    station.press()
    while True:
        for key, _ in selector.select(3):
            data, place = key.data.socket.recvfrom(65536)
            if data.startswith(b"BYE"):
                key.data.reply(data, place, "200 OK")
                return (last - answered) * 1000


def button_to_invites(station: Station, rounds: int, people: int) -> None:
    """Button to the first INVITE, spread of all, answer to the last CANCEL."""
    phones = [Telephone() for _ in range(people)]
    keys = []
    for number, phone in enumerate(phones):
        spec = ContactSpec(first_name=f"P{people}.{number}", sip_address=f"sip:x@{HOST}:{phone.port}")
        keys.append(station.do(lambda tx, spec=spec: station.intercom.contacts.add_contact(tx, spec)).id)
    station.do(lambda tx: station.intercom.contacts.set_button(tx, {"recipients": keys}))
    selector = selectors.DefaultSelector()
    for phone in phones:
        selector.register(phone.socket, selectors.EVENT_READ, phone)
    first, spread, cancels = [], [], []
    for _ in range(rounds):
        station.idle()
        pressed = station.press()
        seen: dict[Telephone, float] = {}
        while len(seen) < people:
            ready = selector.select(3)
            if not ready:
                raise TimeoutError("no INVITE")
            for key, _ in ready:
                data, place = key.data.socket.recvfrom(65536)
                if data.startswith(b"INVITE") and key.data not in seen:
                    seen[key.data] = time.perf_counter()
                    key.data.invite = data, place
                    key.data.reply(data, place, "180 Ringing")
        first.append((min(seen.values()) - pressed) * 1000)
        spread.append((max(seen.values()) - min(seen.values())) * 1000)
        cancels.append(answer_and_end(station, selector, phones))
    debounce = next(one for one in station.device.model.inputs if one.name == "callbutton").debounce_ns / 1e6
    line(f"button edge -> first of {people} INVITE (+{debounce:g} ms debounce)", [value - debounce for value in first])
    if people > 1:
        line(f"spread of {people} INVITEs", spread)
        line("answer -> last CANCEL", cancels)
    selector.close()
    for phone in phones:
        phone.socket.close()


def key_to_relay(station: Station, rounds: int, name: str) -> None:
    """RFC 4733 to the relay's edge, from before the key's first packet is sent."""
    key = station.do(
        lambda tx: station.intercom.accounts.add_sequence(tx, DtmfSequenceSpec(sequence="1", description="Unlock"))
    ).id
    rule = RuleSpec(
        name="DTMF", conditions=(Condition(topic=events.CALL_DTMF, data={"DTMFEventId": key}),),
        action=ToggleIoOnce(port="Relay 1", state=True, duration=0.05),
    )  # fmt: skip
    station.do(lambda tx: station.device.events.add_rule(tx, rule))
    with Phone("ada") as ada:
        station.idle()
        station.do(lambda tx: station.intercom.call(tx, ada.uri))
        ada.wait(Incoming)
        ada.answer()
        station.until(lambda: any(call.state == "Active" for call in station.intercom.calls()))
        media = station.media
        station.until(lambda: ada.heard() if media is None else media.started)
        found = []
        for turn in range(rounds):
            time.sleep(0.1 + turn % 10 / 1000)  # at any phase of the audio thread's tick
            station.tap.drain()
            began = time.monotonic_ns()
            ada.press("1")
            found.append((station.tap.expect("relay1", True, 3).t_ns - began) / 1e6)
            station.tap.expect("relay1", False, 3)
        line(name, found)
        ada.hang_up()
        ada.wait(Ended)


def auto_answer(station: Station, rounds: int) -> None:
    """INVITE to 200, ours and bare."""
    ready = station.intercom.lines[0]
    assert ready is not None
    with subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True) as bare:
        assert bare.stdout is not None
        port = next(int(text.split()[1]) for text in bare.stdout if text.startswith("PORT"))
        found: dict[str, list[float]] = {"ours": [], "bare": []}
        phone = Telephone()
        for number in range(rounds):
            for name, at in (("ours", ready.port), ("bare", port)):
                station.idle()
                value, answer = phone.call((HOST, at), number * 2 + (name == "ours"))
                found[name].append(value)
                phone.end((HOST, at), answer, number * 2 + (name == "ours"))
                time.sleep(0.05)
        phone.socket.close()
        bare.kill()
    line("INVITE -> 200, auto answer", found["ours"])
    line("INVITE -> 200, bare pjsua2 program", found["bare"])


def idle(station: Station, seconds: float) -> None:
    """Load of the voice processes when nothing happens."""
    pids = [process.pid for process in station.lines.processes]

    def used_ns() -> int:
        tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    before = used_ns()
    time.sleep(seconds)
    used = (used_ns() - before) / seconds / 1e7
    rss = [Path(f"/proc/{pid}/status").read_text().split("RssAnon:")[1].split()[0] for pid in pids]
    print(f"{'idle load of both voice processes':48} {used:.2f} % of a core; anonymous memory {' + '.join(rss)} kB")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder))
        try:
            button_to_invites(station, rounds, 1)
            button_to_invites(station, rounds, 6)
            key_to_relay(station, rounds, "DTMF key (RFC 4733) -> relay edge, no sound")
            auto_answer(station, rounds)
            idle(station, 5)
        finally:
            station.stop()
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder), sound=True)
        try:
            key_to_relay(station, 5 * rounds, "DTMF key (RFC 4733) -> relay edge, in a talk")
        finally:
            station.stop()


if __name__ == "__main__":
    main()

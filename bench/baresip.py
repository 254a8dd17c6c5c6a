"""A call by G.711 beside baresip: mouth to ear and processor time, in one run: ``python bench/baresip.py``.

Needs ``.ci/need baresip-core libspeexdsp1``. A door station (echo canceller full, noise suppressor, gain control) on
its native threads talks over UDP on loopback, first to a second one of its kind, then to a baresip that plays into what
it records from (its module aubridge: no sound card). What comes back from there is heard by the station that spoke, so
that

    station -> baresip -> station  =  station -> station  +  what baresip takes from packet to packet,

and what a phone takes from packet to packet is what two of them take from mouth to ear with no sound card between.
The station's own number includes the 10 ms frame of its (virtual) sound card.

Debian's baresip has no module for echo cancellation (speex_aec and webrtc_aec are not built). So it runs with speex_pp
(noise suppression, gain control) alone, and what speexdsp's canceller takes at the codec's rate is told beside it. The
processor's time is that of the threads, by the scheduler. Rounds take turns, and the middle of each row is printed.
"""

from __future__ import annotations

import argparse
import ctypes
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_speexdsp

from axcore.audio import Room
from axcore.drivers.capture import Capture
from axcore.drivers.media import Media
from axcore.drivers.sound import Sound, open_room
from axcore.errors import QueueFullError
from calls import HOST, Telephone
from mouth_to_ear import FRAME, RATE, TICK_NS, delay_ms, pipeline, said

THREADS = ("ax-audio", "ax-rtp")
CONFIG = """poll_method epoll
sip_listen {host}:{port}
net_interface {host}
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,other
jitter_buffer_delay {buffer}
rtp_ports {rtp}-{last}
module_path {modules}
module g711.so
module aubridge.so
{more}module_tmp account.so
module_app menu.so
"""


def used_ns(task: Path) -> int:
    """Processor time of a thread."""
    return int((task / "schedstat").read_text().split()[0])


def own_ns() -> int:
    """Of this process's audio and RTP threads."""
    tasks = Path("/proc/self/task").iterdir()
    return sum(used_ns(task) for task in tasks if (task / "comm").read_text().strip() in THREADS)


def process_ns(pid: int) -> int:
    """Of all threads of a process."""
    return sum(used_ns(task) for task in Path(f"/proc/{pid}/task").iterdir())


class Station:
    """A door station's sound and one leg on the network, in a room without an echo."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        line, self.leg = pipeline()
        self.sound = Sound(line, open_room(Room(RATE, rt60_ms=0, echo_db=-100, noise_db=-75)))
        self.media = Media(self.sound)
        self.capture = Capture(self.sound.card.fd)
        self.start_ns = 0

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens."""
        place: tuple[str, int] = self.socket.getsockname()
        return place

    def begin(self, peer: tuple[str, int]) -> None:
        """Talk with somebody."""
        self.media.open(self.leg, self.socket, peer=peer)
        self.media.start()
        self.sound.start()

    def say(self, words: Any) -> None:
        """As fast as the room takes it."""
        for frame in words.reshape(-1, FRAME):
            while True:
                try:
                    self.sound.talk(frame)
                    break
                except QueueFullError:
                    time.sleep(0.05)
            if self.start_ns == 0 and (latest := self.capture.latest) is not None:
                self.start_ns = latest.t_ns + TICK_NS

    def heard_ms(self, words: Any, start_ns: int) -> list[float]:
        """How much later each second of the words is heard here."""
        records = list(self.capture.since())
        heard = np.concatenate([np.frombuffer(record.data, np.int16) for record in records]).astype(float)
        begins, found = (records[0].t_ns - start_ns) * RATE / 1e9, []
        for second in range(2, len(words) // RATE - 1):
            here = round(second * RATE - begins)
            shift = second * RATE - begins - here
            original = words[second * RATE : (second + 1) * RATE].astype(float)
            found.append(delay_ms(heard[here : here + RATE], original) - shift * 1000 / RATE)
        return found

    def end(self) -> None:
        """Stop its threads."""
        self.sound.stop()
        self.media.stop()
        self.socket.close()


def between_stations(seconds: float) -> tuple[float, float]:
    """Mouth to ear in ms (median of the seconds), and percent of a processor of one station in a call."""
    stations, words = (Station(), Station()), said(seconds)
    stations[0].begin(stations[1].place)
    stations[1].begin(stations[0].place)
    time.sleep(0.5)
    began, before = time.monotonic_ns(), own_ns()
    stations[0].say(words)
    load = (own_ns() - before) / (time.monotonic_ns() - began)
    time.sleep(0.8)
    found = stations[1].heard_ms(words, stations[0].start_ns)
    for station in stations:
        station.end()
    return float(np.median(found)), 100 * load / 2


def free_port() -> int:
    """Of UDP on loopback; the one after it is hopefully free too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def with_baresip(seconds: float, buffer: str, more: str = "") -> tuple[float, float, float]:
    """Mouth to ear in ms by way of baresip, and percent of a processor that it takes in a call and without one."""
    port, words = free_port(), said(seconds)
    modules = next(Path("/usr/lib").glob("**/baresip/modules"))
    with tempfile.TemporaryDirectory() as folder:
        text = CONFIG.format(host=HOST, port=port, buffer=buffer, rtp=21000, last=21100, modules=modules, more=more)
        (Path(folder) / "config").write_text(text)
        (Path(folder) / "accounts").write_text(f"<sip:b@{HOST}:{port}>;regint=0;answermode=auto\n")
        (Path(folder) / "contacts").write_text("")
        with subprocess.Popen(
            ["baresip", "-f", folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as phone:
            try:
                time.sleep(2)
                began, before = time.monotonic_ns(), process_ns(phone.pid)
                time.sleep(2)
                idle = (process_ns(phone.pid) - before) / (time.monotonic_ns() - began)
                station = Station()
                caller = Telephone()
                body = (
                    f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
                    f"m=audio {station.place[1]} RTP/AVP 0\r\na=ptime:20\r\n"
                )
                _, answer = caller.call((HOST, port), 1, body, "b")
                theirs = re.search(rb"m=audio (\d+)", answer)
                assert theirs is not None
                caller.acknowledge((HOST, port), answer, 1)
                station.begin((HOST, int(theirs[1])))
                time.sleep(0.5)
                began, before = time.monotonic_ns(), process_ns(phone.pid)
                station.say(words)
                load = (process_ns(phone.pid) - before) / (time.monotonic_ns() - began)
                time.sleep(1.5)
                found = station.heard_ms(words, station.start_ns)
                station.end()
            finally:
                phone.kill()
    return float(np.median(found)), 100 * load, 100 * idle


def canceller_percent(rate: int, tail_ms: int = 200) -> float:
    """What speexdsp's echo canceller takes, with frames of 20 ms; by ctypes, best of five."""
    lib = audio_speexdsp.lib
    assert lib is not None
    frame = rate // 50
    lib.speex_echo_state_init.restype = ctypes.c_void_p
    echo = ctypes.c_void_p(lib.speex_echo_state_init(frame, rate * tail_ms // 1000))
    sound = np.random.default_rng(2).normal(0, 3000, 3 * frame).astype(np.int16).reshape(3, frame)
    at, best = [ctypes.c_void_p(row.ctypes.data) for row in sound], 1e9
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(100):
            lib.speex_echo_cancellation(echo, *at)
        best = min(best, time.perf_counter() - began)
    return 100 * best / 2


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("baresip") is None or audio_speexdsp.lib is None:
        sys.exit("run .ci/need baresip-core libspeexdsp1")
    phones = {
        "baresip, speex_pp, jitter buffer 5-10 (as it comes)": ("5-10", "module speex_pp.so\n"),
        "baresip, speex_pp, jitter buffer 1-2 frames": ("1-2", "module speex_pp.so\n"),
        "baresip, no speex_pp, jitter buffer 1-2 frames": ("1-2", ""),
    }
    ours, found = [], {name: [] for name in phones}  # type: ignore[var-annotated]
    for _ in range(arguments.rounds):
        ours.append(between_stations(arguments.seconds))
        for name, (buffer, more) in phones.items():
            there, busy, idle = with_baresip(arguments.seconds, buffer, more)
            found[name].append((there - ours[-1][0], busy - idle))
    print(f"{'':56} mouth to ear, ms   a call, % of a core")
    for name, rows in {"door station: echo canceller, NS, AGC, 16 kHz": ours, **found}.items():
        ms, load = np.median(rows, axis=0)
        several = " ".join(f"{row[0]:.0f}" for row in rows)
        print(f"{name:56} {ms:6.1f} ({several})   {load:5.2f}")
    for rate in (8000, 16000):
        name = f"speexdsp's canceller on top of it, {rate} Hz, 200 ms"
        print(f"{name:56} {'':22} {canceller_percent(rate):5.2f}")


if __name__ == "__main__":
    main()

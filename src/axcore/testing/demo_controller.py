"""``make demo-controller``: a door station is the OSDP reader of a door controller, and its cards open a door.

Starts ``axcore run a1610 --simulate`` and ``axcore run a8207-ve --simulate``, whose serial line is a pty of the former,
connects them by OSDP with a secure channel, and swipes a card as edges at the station, again and again. Then a key that
is another one, and a station that is killed: both leave the door locked. What happened is printed and drawn (time to
the right, a row for each thing). Exit code 0 only if all of it happened.

    python -m axcore.testing.demo_controller [--out FOLDER] [--swipes N] [--json]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.demo import Timeline, need
from axcore.model import events as topics
from axcore.testing.osdp_door import CARD, DOORS, GRANTED, KEY, READER, RELAY, OsdpDoor

SWIPES = 20
ACCESS_MS = 250
OTHER_KEY = "00112233445566778899aabbccddee0f"
PATIENCE_S = 60.0
BACK_MS = 10_000
"""A controller looks for a reader that it has lost at least so often."""
EDGES_NS, GAP_MS = 5_040_000, 25.0
"""From the first edge of 26 bits to the last, and the silence that ends a frame."""
WIDTH, LEFT, ROW, TOP = 1200, 150, 34, 30
"""Of the picture, in pixels."""
NS = 1e9


class Span(NamedTuple):
    """Something that lasted, in a row of the picture."""

    row: str
    begin_ns: int
    end_ns: int
    color: str


def percentile(values: list[float], p: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * len(ordered) + 0.5) - 1))]


class Play:
    """The demonstration, step by step."""

    def __init__(self, pair: OsdpDoor, timeline: Timeline, folder: Path, swipes: int) -> None:
        self.pair, self.timeline, self.folder, self.swipes = pair, timeline, folder, swipes
        self.spans: list[Span] = []
        self.swiped: list[int] = []
        self.latencies: list[float] = []

    def start(self) -> None:
        pair = self.pair
        pair.start()
        self.timeline.add("controller ready", pair.controller.running.https, pair.controller.ready_s * 1e3)
        self.timeline.add("station ready, its line is a pty", pair.station.running.https, pair.station.ready_s * 1e3)
        state = pair.door()
        need(state["mode"] == "Locked", f"the door is not locked but {state}")

    def connect(self) -> None:
        self.pair.set_up(feedback={"idle": "blue"})
        took = self.pair.wait_link("secure", PATIENCE_S)
        state = self.pair.reader()
        need(state["online"], f"the reader is not on line: {state}")
        self.timeline.add("secure channel", f"{READER}: {state['link']}", took * 1e3)

    def swipe(self) -> None:
        tap = self.pair.controller.tap
        with self.pair.station.board(PATIENCE_S) as board:
            for number in range(self.swipes):
                began = int(board.call("card", **CARD, correlation=f"swipe{number}")["t_ns"])
                opened = tap.expect(RELAY, True, PATIENCE_S)
                closed = tap.expect(RELAY, False, PATIENCE_S)
                self.swiped.append(began)
                self.latencies.append((opened.t_ns - began) / 1e6)
                self.spans.append(Span("lock relay", opened.t_ns, closed.t_ns, "#2a7"))
                time.sleep(random.uniform(0.05, 0.1))  # not a synchronisation: people do not come with the polls
        self.pair.wait_event(GRANTED, PATIENCE_S, CredentialToken="ann")
        p50, p99 = percentile(self.latencies, 50), percentile(self.latencies, 99)
        self.timeline.add(
            f"last edge -> relay, p50 of {self.swipes}", f"p99 {p99:.1f} ms, lock open {ACCESS_MS} ms", p50
        )
        rest = p50 - GAP_MS
        self.timeline.add("of it after the frame was over", "poll, two fsyncs, secure channel, decision", rest)

    def feedback(self) -> None:
        log = net.EventLog(self.pair.station.client())
        shown = [event for event in log.all() if event["topic"] == topics.LED_STATE]
        lit = [event for event in shown if event["data"].get("color") == "green"]
        need(bool(lit), "the reader has not shown green")
        first = min(span.begin_ns for span in self.spans)
        later = [event["t_ns"] for event in lit if event["t_ns"] >= first]
        need(bool(later), "the reader has shown green too early")
        for event, following in zip(shown, [*shown[1:], None], strict=True):
            end = following["t_ns"] if following else time.monotonic_ns()
            if event["data"].get("color", "off") != "off":
                self.spans.append(Span("reader LED", event["t_ns"], end, event["data"]["color"]))
        self.timeline.add("relay -> LED at the reader", "green, then blue again", (min(later) - first) / 1e6)

    def stranger(self) -> None:
        with self.pair.station.board(PATIENCE_S) as board:
            board.call("card", **CARD | {"card": 1}, correlation="stranger")
        self.pair.wait_event(f"{topics.ACCESS_DENIED_NOT_FOUND}Card", PATIENCE_S)
        need(not self.pair.opened(), "a stranger opened the door")
        self.timeline.add("a card that nobody knows", "denied, locked")

    def other_key(self) -> None:
        path = f"{DOORS}/readers/{READER}/settings"
        began = time.monotonic()
        self.pair.client.rest("PATCH", path, {"key": OTHER_KEY})
        attack = self.pair.wait_event(topics.READER_ATTACK, PATIENCE_S)
        took = time.monotonic() - began
        with self.pair.station.board(PATIENCE_S) as board:
            board.call("card", **CARD, correlation="wrong key")
        self.pair.client.rest("PATCH", path, {"key": KEY})
        back = self.pair.wait_link("secure", PATIENCE_S)
        need(not self.pair.opened(), "a reader with another key opened the door")
        self.timeline.add("another key at the reader", f"refused ({attack['data']['kind']}), locked", took * 1e3)
        self.timeline.add("its own key again", "secure", back * 1e3)

    def killed(self) -> None:
        known, began = self.pair.log.all()[-1]["id"], time.monotonic_ns()
        self.pair.station.kill()
        lost = self.pair.wait_event(topics.ID_POINT_STATUS, PATIENCE_S, after=known, State="Offline")
        self.timeline.add("station killed -> reader off line", "locked", (lost["t_ns"] - began) / 1e6)
        launched = time.monotonic_ns()
        self.pair.start_station()
        ready = time.monotonic_ns()
        back = self.pair.wait_event(topics.ID_POINT_STATUS, PATIENCE_S, after=lost["id"], State="Online")
        late = (back["t_ns"] - ready) / 1e6
        need(late < BACK_MS, f"it took {late} ms until the reader was back")
        took = (back["t_ns"] - launched) / 1e6
        self.timeline.add("station launched again -> on line", "its process took most of it", took)
        need(self.pair.door()["mode"] == "Locked" and not self.pair.opened(), "the door is not locked")

    def picture(self) -> None:
        online = 0
        for event in self.pair.log.all():
            if event["topic"] == topics.ID_POINT_STATUS and event["source"] == {"IdPointToken": READER}:
                if event["data"]["State"] == "Online":
                    online = event["t_ns"]
                elif online:
                    self.spans.append(Span("reader on line", online, event["t_ns"], "#79c"))
                    online = 0
        if online:
            self.spans.append(Span("reader on line", online, time.monotonic_ns(), "#79c"))
        self.spans += [Span("card at the station", at - EDGES_NS, at, "#c52") for at in self.swiped]
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "timeline.svg"
        file.write_text(svg(self.spans), encoding="utf-8")
        self.timeline.add("picture", str(file))

    def stop(self) -> None:
        for device in (self.pair.station, self.pair.controller):
            code = device.stop()
            need(code == 0, f"a device ended with {code}\n{device.output()}")
        self.timeline.add("stopped cleanly", "exit 0 twice")


def svg(spans: list[Span]) -> str:
    """A row for each kind of span, seconds below."""
    rows = list(dict.fromkeys(["card at the station", "lock relay", "reader LED", "reader on line"]))
    begin, end = min(span.begin_ns for span in spans), max(span.end_ns for span in spans)
    scale = (WIDTH - LEFT - 20) / (end - begin)
    height = TOP + ROW * len(rows) + 30
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif"'
        ' font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        out.append(f'<text x="8" y="{y + 16}">{row}</text><line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y + 22}" '
                   f'y2="{y + 22}" stroke="#ddd"/>')  # fmt: skip
        for span in spans:
            if span.row == row:
                x, width = LEFT + (span.begin_ns - begin) * scale, max(1.5, (span.end_ns - span.begin_ns) * scale)
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="22" fill="{span.color}"/>')
    seconds = int((end - begin) / NS)
    for second in range(0, seconds + 1, max(1, seconds // 12)):
        x = LEFT + second * NS * scale
        out.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{second} s</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


STEPS = (
    ("start both", Play.start),
    ("connect them", Play.connect),
    ("swipe", Play.swipe),
    ("look at the reader's LED", Play.feedback),
    ("a stranger's card", Play.stranger),
    ("another key", Play.other_key),
    ("kill the station", Play.killed),
    ("draw it", Play.picture),
    ("stop", Play.stop),
)


def main(argv: list[str] | None = None) -> int:
    """Play it; 0 only if everything happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo-controller"), help="folder of the picture")
    parser.add_argument("--swipes", type=int, default=SWIPES, help="how often the card is shown")
    parser.add_argument("--json", action="store_true", help="print the timeline as JSON")
    args = parser.parse_args(argv)
    with Timeline(args.json) as timeline, OsdpDoor(access_ms=ACCESS_MS) as pair:
        timeline.play(STEPS, Play(pair, timeline, args.out, max(1, args.swipes)))
    return timeline.told


if __name__ == "__main__":
    sys.exit(main())

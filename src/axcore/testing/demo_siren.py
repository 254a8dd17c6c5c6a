"""``make demo-siren``: the strobe siren manual's MQTT example, from outside, on a real device with a real broker.

Starts ``axcore run d4100-ve-mk2 --simulate``, finds it in maintenance mode, turns that off, sets a profile and a rule
up over the network, and lets a "camera" publish *Motion: On* and *Off* through Debian's mosquitto. What the light did
is written as a picture (time to the right, a line for each LED), what was heard as a WAV file. Exit code 0 only if all
of it happened.

    python -m axcore.testing.demo_siren [--out FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli import recording
from axcore.interfaces.cli.demo import Timeline, need
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model.events import MQTT_STATEFUL
from axcore.testing.mosquitto import Mosquitto
from axcore.testing.signal import SignalReader

MODEL = "d4100-ve-mk2"
PROFILE = "Strobe siren profile"
TOPIC = "Motion"
RUNS_S = 3.0
"""Seconds that the camera sees something move."""
SHOWN_S = 6.0
PATIENCE_S = 60.0


def _no_delay(_client: object, _data: object, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Camera:
    """What publishes: any MQTT client, without delays of its own."""

    def __init__(self, port: int) -> None:
        connected = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda *_: connected.set()
        self._client.on_socket_open = _no_delay
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        need(connected.wait(PATIENCE_S), "the broker does not answer the camera")

    def says(self, payload: str) -> int:
        """Publish; gives the monotonic time (ns) before."""
        began = time.monotonic_ns()
        self._client.publish(TOPIC, payload, qos=1)
        return began

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


class Play:
    """The example, step by step."""

    def __init__(self, device: Instance, broker: Mosquitto, timeline: Timeline, folder: Path) -> None:
        self.device, self.broker, self.timeline, self.folder = device, broker, timeline, folder
        self.client: net.Client
        self.signal: SignalReader
        self.camera: Camera

    def start(self) -> None:
        running = self.device.start()
        self.device.create_admin()
        self.client = self.device.client()
        self.signal = SignalReader(self.device.data_dir)
        self.timeline.add("siren ready", running.https, self.device.ready_s * 1e3)

    def maintenance(self) -> None:
        (light,) = self._call("getStatus")["light"]
        need(light["pattern"] == "Maintenance", f"not in maintenance mode, but {light}")
        frame = self.signal.wait_frame(lambda frame: frame.lit, timeout=PATIENCE_S)
        need(not self.signal.blocks(), "the siren sounds in maintenance mode")
        sections = sum(max(frame.section(n)) > 0 for n in range(12))
        self.timeline.add("maintenance mode is on as delivered", f"{sections} sections pulsate white, no sound")
        began = time.monotonic()
        self._call("setMaintenanceMode", {"maintenanceMode": False})
        self.device.tap.expect("light", False, PATIENCE_S)
        self.timeline.add("maintenance mode turned off", "dark", (time.monotonic() - began) * 1e3)

    def profile(self) -> None:
        light = {"pattern": "Rotate tail white + steady color", "colors": ["red"], "intensity": 5, "priority": 4}
        siren = {"pattern": "Siren: Evac", "intensity": 3, "priority": 4}
        self._call("addProfile", {"name": PROFILE, "description": "Motion", "light": light, "siren": siren})
        self.timeline.add("profile created", f"{PROFILE}: {light['pattern']}, {siren['pattern']}")

    def subscribe(self) -> None:
        filters = [{"topicFilter": TOPIC, "qos": 1, "isStateData": True}]
        self.client.ajr("mqtt/event", "configureMqttSubscription", {"mqttFilterList": filters})
        server = {"host": "127.0.0.1", "port": self.broker.ports["tcp"], "protocol": "tcp"}
        self.client.ajr("mqtt/client", "configureClient", {"server": server, "clientId": "Siren 1"})
        began = time.monotonic()
        self.client.ajr("mqtt/client", "activateClient", {})
        wait_for("the siren to connect to the broker", self._connected, PATIENCE_S)
        self.timeline.add("MQTT client connected", f"{TOPIC}, stateful, QoS 1", (time.monotonic() - began) * 1e3)

    def rule(self) -> None:
        condition = {"topic": MQTT_STATEFUL, "source": {"topicFilter": TOPIC}, "data": {"payload": "On"}}
        action = {"type": "profile_while_active", "profile": PROFILE}
        self.client.rest("POST", net.RULES, {"name": "Motion detected", "conditions": [condition], "action": action})
        self.timeline.add("rule added", "MQTT > Stateful Motion On -> profile while the rule is active")

    def motion(self) -> None:
        self.camera = Camera(self.broker.ports["tcp"])
        frames, blocks = self._last()
        began = self.camera.says("On")
        lit = self.signal.wait_frame(lambda frame: frame.lit, since=frames, timeout=PATIENCE_S)
        self.timeline.add("motion -> first light frame", "the light turns", (lit.done_ns - began) / 1e6)
        heard = self.signal.wait_block(lambda block: any(block.samples), since=blocks, timeout=PATIENCE_S)
        self.timeline.add("motion -> first sample", "the siren sounds", (heard.done_ns - began) / 1e6)
        (shown,) = self._call("getStatus")["light"]
        need(shown["profile"] == PROFILE, f"another profile runs: {shown}")
        time.sleep(RUNS_S)  # not a synchronisation: for as long something moves

    def calm(self) -> None:
        self.camera.says("Off")
        self.device.tap.expect("light", False, PATIENCE_S)
        self.device.tap.expect("siren", False, PATIENCE_S)
        need(self._call("getStatus") == {}, "something still runs")
        self.camera.close()
        self.timeline.add("no motion", "dark and silent")

    def files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        now = time.monotonic_ns()
        wanted = argparse.Namespace(file=self.folder / "light.png", seconds=SHOWN_S, width=1200)
        picture = recording.write_picture(wanted, self.device.data_dir, now)
        wanted = argparse.Namespace(file=self.folder / "sound.wav", seconds=SHOWN_S)
        sound = recording.write_sound(wanted, self.device.data_dir, now)
        need(sound["sounding"] > RUNS_S * 0.8, f"only {sound['sounding']} s of sound")
        self.timeline.add("picture of the light", f"{picture['file']} ({picture['frames']} frames)")
        self.timeline.add("recording of the siren", f"{sound['file']} ({sound['sounding']} s)")

    def stop(self) -> None:
        self.signal.close()
        began = time.monotonic()
        code = self.device.stop()
        need(code == 0, f"the device ended with {code}\n{self.device.output()}")
        self.timeline.add("stopped cleanly", "exit 0", (time.monotonic() - began) * 1e3)

    def _call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        return self.client.ajr("siren_and_light", method, params or {})

    def _connected(self) -> bool:
        status = self.client.ajr("mqtt/client", "getClientStatus")["status"]
        return bool(status["connectionStatus"] == "connected")

    def _last(self) -> tuple[int, int]:
        frames, blocks = self.signal.frames(), self.signal.blocks()
        return frames[-1].number if frames else 0, blocks[-1].number if blocks else 0


STEPS = (
    ("start the siren", Play.start),
    ("turn maintenance mode off", Play.maintenance),
    ("create the profile", Play.profile),
    ("connect to the broker", Play.subscribe),
    ("add the rule", Play.rule),
    ("the camera sees motion", Play.motion),
    ("the camera sees no motion", Play.calm),
    ("write what happened", Play.files),
    ("stop", Play.stop),
)


def main(argv: list[str] | None = None) -> int:
    """Play it; 0 only if everything happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo-siren"), help="folder of the picture and the recording")
    parser.add_argument("--json", action="store_true", help="print the timeline as JSON")
    args = parser.parse_args(argv)
    with Timeline(args.json) as timeline, Mosquitto() as broker, Instance(model=MODEL) as device:
        timeline.play(STEPS, Play(device, broker, timeline, args.out))
    return timeline.told


if __name__ == "__main__":
    sys.exit(main())

"""Sound over HTTP without a call, of a started device: hear the microphone, talk by the loudspeaker, set both."""

from __future__ import annotations

import socket
import threading
import time
from array import array
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from math import pi, sin
from typing import Any

import httpx
import pytest

from axcore.audio import G711, G722
from axcore.interfaces.cli.instance import Instance, wait_for
from tests.e2e.patience import PATIENCE

RECEIVE, TRANSMIT = "/axis-cgi/audio/receive.cgi", "/axis-cgi/audio/transmit.cgi"
BARE = {"echo_cancellation": False, "noise_cancellation": False, "automatic_gain": False}
"""The microphone hears the loudspeaker, and nothing is made louder."""
LOUD = 400
"""Of 32767: more than the noise of the room, less than a talker."""
CONTROL = "/axis-cgi/audiodevicecontrol.cgi"


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as device:
        device.start()
        device.create_admin()
        with Client(device) as client:
            client.patch("/config/rest/audio/v1/settings", json={"data": BARE}).raise_for_status()
            client.param("Audio.ReceiverTimeout", "9999")  # a busy machine's talker is slow, and not gone
        yield device


class Client(httpx.Client):
    """An administrator over HTTPS, whose first request is allowed (Basic)."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(
            base_url=instance.running.https, auth=(instance.user, instance.password), timeout=PATIENCE, verify=False
        )

    def param(self, name: str, value: str) -> None:
        assert self.get(f"/axis-cgi/param.cgi?action=update&{name}={value}").text.strip() == "OK"

    def control(self, method: str, params: Any = None) -> Any:
        body = {"apiVersion": "1.0", "method": method, **({} if params is None else {"params": params})}
        return self.post(CONTROL, json=body).json()


@pytest.fixture
def client(instance: Instance) -> Iterator[Client]:
    with Client(instance) as made:
        yield made


def tone(seconds: float, rate: int = 8000) -> array[int]:
    return array("h", [round(12000 * sin(2 * pi * 500 * n / rate)) for n in range(round(seconds * rate))])


def mu_law(seconds: float, rate: int = 8000) -> bytes:
    return bytes(G711("mu").encode(tone(seconds, rate)))


class Talk:
    """A client that talks in a thread of its own, until it is told to stop."""

    def __init__(self, instance: Instance, kind: str = "audio/basic", piece: bytes = b"") -> None:
        self.stopped = threading.Event()
        self.status = 0
        self._piece = piece or mu_law(0.1)
        self._instance, self._kind = instance, kind
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Talk:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._thread.join(PATIENCE)

    def _pieces(self) -> Iterator[bytes]:
        while not self.stopped.is_set():
            yield self._piece
            self.stopped.wait(0.1)

    def _run(self) -> None:
        """A refusal is tried again: somebody else may have had the place."""
        with Client(self._instance) as client:
            while self.status in (0, 503) and not self.stopped.is_set():
                answer = client.post(TRANSMIT, content=self._pieces(), headers={"Content-Type": self._kind})
                self.status = answer.status_code


def loudness(data: bytes) -> int:
    return max(abs(sample) for sample in G711("mu").decode(data))


@contextmanager
def listening(client: Client, query: str = "") -> Iterator[httpx.Response]:
    """The microphone; tried again while places of clients that have gone are still taken."""
    end = time.monotonic() + PATIENCE
    while True:
        with client.stream("GET", RECEIVE + query) as answer:
            if answer.status_code != 503:
                yield answer
                return
        assert time.monotonic() < end, "no place to listen"


def hears(client: Client, octets: int = 32_000) -> int:
    """The loudest that the microphone hears in the next seconds: the loudspeaker is in the same room."""
    heard = b""
    with listening(client) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            heard += piece
            if len(heard) >= octets or loudness(piece) > LOUD:
                break
    return loudness(heard)


def talked_to(client: Client) -> bool:
    """Whether somebody has the loudspeaker."""
    answer = client.post(TRANSMIT, content=b"", headers={"Content-Type": "audio/basic"})
    return answer.status_code == 503 and "one at a time" in answer.text


def test_receive_is_endless_sound_of_the_microphone(client: Client) -> None:
    for query, kind, octets in (
        ("", "audio/basic", 8000),
        ("?audiocodec=g726", "audio/G726-32", 4000),
        ("?audiocodec=g722", "audio/G722", 8000),
        ("?audiocodec=lpcm", "audio/L24; rate=16000; channels=1", 48000),
    ):
        with listening(client, query) as answer:
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
            heard = b""
            for piece in answer.iter_raw():
                heard += piece
                if len(heard) >= octets:  # a second
                    break


def test_a_head_has_no_body(client: Client) -> None:
    answer = client.head(RECEIVE)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "audio/basic", b"")


def test_receive_in_parts_of_512_octets(client: Client) -> None:
    with listening(client, "?httptype=multipart&audiocodec=g711") as answer:
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=myboundary"
        heard = b""
        for piece in answer.iter_raw():
            heard += piece
            if heard.count(b"--myboundary") >= 3:
                break
    head = b"--myboundary\r\nContent-Type: audio/basic\r\nContent-Length: 512\r\n\r\n"
    assert heard.startswith(head)
    assert heard[len(head) + 512 :].startswith(b"\r\n" + head)


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("audio/basic", mu_law(0.1)),
        ("audio/axis-mulaw-128", mu_law(0.1, 16000)),
        ("audio/PCMA", bytes(G711("a").encode(tone(0.1)))),
        ("audio/G722", bytes(G722().encode(tone(0.1, 16000)))),
        ("audio/L16", bytes(array("H", [sample & 0xFFFF for sample in tone(0.1, 16000)]).tobytes())),
        ("audio/L24", b"".join((sample << 8).to_bytes(3, "big", signed=True) for sample in tone(0.1, 16000))),
    ],
)
def test_who_transmits_is_heard_in_the_room(instance: Instance, client: Client, kind: str, piece: bytes) -> None:
    if kind == "audio/L16":
        swapped = array("H", piece)
        swapped.byteswap()
        piece = swapped.tobytes()
    with Talk(instance, kind, piece) as talk:
        assert hears(client, 400_000) > LOUD
    assert talk.status == 200


def test_one_talker_at_a_time_and_then_the_next(instance: Instance, client: Client) -> None:
    with Talk(instance) as talk:
        wait_for("a refusal", lambda: talked_to(client), PATIENCE, 0.05)
    assert talk.status == 200
    answer = client.post(TRANSMIT, content=mu_law(0.2), headers={"Content-Type": "audio/basic"})
    assert (answer.status_code, answer.text) == (200, "OK\n")


def silent_talker(instance: Instance, client: Client) -> socket.socket:
    """One who has the place, as he is told to go on, and says only what is sent by his connection."""
    login = b64encode(f"{instance.user}:{instance.password}".encode()).decode()
    client.param("Network.HTTP.AuthenticationPolicy", "Basic_Digest")
    host, port = instance.running.http.removeprefix("http://").split(":")
    head = (
        f"POST {TRANSMIT} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {login}\r\nExpect: 100-continue\r\n"
        "Content-Type: audio/basic\r\nContent-Length: 999999999\r\n\r\n"
    )

    def talker() -> socket.socket | None:
        """A refusal is tried again: who had the place before may not be gone."""
        raw = socket.create_connection((host, int(port)), PATIENCE)
        raw.sendall(head.encode())
        with raw.makefile("rb") as answer:
            line = answer.readline().decode()
        if line.startswith("HTTP/1.1 100"):
            return raw
        raw.close()
        assert line.startswith("HTTP/1.1 503"), line
        return None

    found: socket.socket = wait_for("the place", talker, PATIENCE, 0.05)
    return found


def test_a_talker_who_vanishes_frees_the_place(instance: Instance, client: Client) -> None:
    with silent_talker(instance, client) as raw:
        raw.sendall(mu_law(0.5))
        assert talked_to(client)
    wait_for("his end", lambda: not talked_to(client), PATIENCE, 0.05)


def test_a_talker_who_says_no_more_frees_the_place_although_he_is_there(instance: Instance, client: Client) -> None:
    try:
        client.param("Audio.ReceiverTimeout", "300")
        with silent_talker(instance, client) as raw:
            raw.sendall(mu_law(0.5))
            wait_for("his end", lambda: not talked_to(client), PATIENCE, 0.05)
            with raw.makefile("rb") as answer:
                assert b"OK\n" in answer.read()
    finally:
        client.param("Audio.ReceiverTimeout", "9999")


def test_audio_can_be_switched_off(instance: Instance, client: Client) -> None:
    try:
        with listening(client) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            with Client(instance) as other:
                other.param("Audio.A0.Enabled", "no")
            for _ in pieces:  # comes to an end
                pass
        assert client.get(RECEIVE).status_code == 503
        answer = client.post(TRANSMIT, content=mu_law(0.02), headers={"Content-Type": "audio/basic"})
        assert (answer.status_code, "Audio.A0.Enabled" in answer.text) == (503, True)
    finally:
        client.param("Audio.A0.Enabled", "yes")
    assert hears(client, 512) >= 0


def test_software_that_transmits_answers_a_call_and_hangs_up_by_ending(instance: Instance, client: Client) -> None:
    key = client.post("/vapix/call", json={"axcall:Call": {"To": "VMS_CALL"}}).json()["CallId"]

    def state() -> str:
        found = client.post("/vapix/call", json={"axcall:GetCallStatus": {"CallId": key}}).json()
        return str(found["CallStatus"]["CallState"])

    with Talk(instance):
        wait_for("the answer", lambda: state() == "Active", PATIENCE, 0.05)
    wait_for("the end", lambda: state() == "Terminated", PATIENCE, 0.05)


def last_call(client: Client) -> dict[str, Any]:
    found = client.post("/vapix/call", json={"axcall:GetCallStatuses": {}}).json()["CallStatus"]
    return dict(found[-1]) if found else {"CallId": ""}


def test_software_that_listens_or_talks_without_a_call_has_one_as_long_as_it_does(
    instance: Instance, client: Client
) -> None:
    def becomes(after: str, state: str) -> str:
        """Waits for a call of software after another one; its id."""

        def there() -> str:
            with Client(instance) as asks:
                found = last_call(asks)
            kind = found.get("CallType"), found.get("Direction"), found.get("CallState")
            return str(found["CallId"]) if found["CallId"] != after and kind == ("VMS", "Incoming", state) else ""

        return str(wait_for(f"a call that is {state}", there, PATIENCE, 0.05))

    before = str(last_call(client)["CallId"])
    with Talk(instance):
        key = becomes(before, "Active")
    assert becomes(before, "Terminated") == key
    settings = "/config/rest/calls/v1/vms"
    try:
        client.patch(settings, json={"data": {"audio_to_network_streams": 2}}).raise_for_status()
        with Client(instance) as other, listening(client) as one, listening(other) as two:
            pieces = one.iter_raw(), two.iter_raw()  # kept: an iterator that is gone has closed its connection
            for each in pieces:
                next(each)
            heard = becomes(key, "Active")
        assert becomes(key, "Terminated") == heard
    finally:
        client.patch(settings, json={"data": {"audio_to_network_streams": 0}}).raise_for_status()


def test_duplex_modes(instance: Instance, client: Client) -> None:
    body, head = mu_law(0.02), {"Content-Type": "audio/basic"}
    try:
        client.param("Audio.DuplexMode", "get")
        answer = client.post(TRANSMIT, content=body, headers=head)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        client.param("Audio.DuplexMode", "post")
        assert client.get(RECEIVE).status_code == 405
        assert client.post(TRANSMIT, content=body, headers=head).status_code == 200
        client.param("Audio.DuplexMode", "half")
        with listening(client) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            with Talk(instance):
                wait_for("the talker", lambda: talked_to(client), PATIENCE, 0.05)
            next(pieces)  # it goes on when he has ended
    finally:
        client.param("Audio.DuplexMode", "full")


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("GET", f"{RECEIVE}?audiocodec=aac", "", 400),
        ("GET", f"{RECEIVE}?httptype=many", "", 400),
        ("GET", f"{RECEIVE}?volume=1", "", 400),
        ("POST", f"{TRANSMIT}?volume=1", "audio/basic", 400),
        ("POST", TRANSMIT, "audio/mp4", 415),
        ("POST", TRANSMIT, "", 415),
        ("GET", TRANSMIT, "", 405),
        ("POST", RECEIVE, "audio/basic", 405),
    ],
)
def test_what_cannot_be_is_refused(client: Client, method: str, path: str, kind: str, status: int) -> None:
    answer = client.request(method, path, content=b"", headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == status


def test_nobody_and_too_many(instance: Instance, client: Client) -> None:
    for method, path in (("GET", RECEIVE), ("POST", TRANSMIT), ("POST", CONTROL)):
        assert httpx.request(method, instance.running.https + path, verify=False, timeout=PATIENCE).status_code == 401
    with listening(client) as first, listening(client) as second, listening(client) as third:
        assert [one.status_code for one in (first, second, third)] == [200] * 3
        answer = client.get(RECEIVE)
        assert (answer.status_code, "3 clients listen" in answer.text) == (503, True)
    assert hears(client, 512) >= 0


def test_a_client_that_does_not_read_holds_up_nobody(client: Client) -> None:
    with listening(client, "?audiocodec=lpcm") as slow:
        pieces = slow.iter_raw()  # kept: an iterator that is gone has closed its connection
        next(pieces)
        assert hears(client, 16_000) >= 0


class TestDeviceControl:
    def test_capabilities_and_settings(self, client: Client) -> None:
        assert client.control("getSupportedVersions")["data"]["apiVersions"] == ["1.0"]
        (device,) = client.control("getDevicesCapabilities")["data"]["devices"]
        (kind,) = device["inputs"][0]["connectionTypes"]
        assert (kind["id"], kind["signalTypes"][0]["gainValues"]["max"]) == ("internal", 20.0)
        assert client.control("getHazardousSettings")["data"] == {"devices": []}

    def test_gain_and_mute_are_kept_and_count(self, instance: Instance, client: Client) -> None:
        def outputs(**signal: Any) -> Any:
            types = [{"id": "internal", "signalTypes": [{"id": "unbalanced", **signal}]}]
            return {"devices": [{"id": "0", "outputs": [{"id": "0", "connectionTypes": types}]}]}

        assert client.control("setDevicesSettings", outputs(gain=-12, mute=True))["data"] == {}
        told = client.get("/config/rest/audio/v1/settings").json()["data"]["output"]
        assert told == {"type": "internal", "gain": -12.0, "mute": True}
        (device,) = client.control("getDevicesSettings")["data"]["devices"]
        signal = device["outputs"][0]["connectionTypes"][0]["signalTypes"][0]
        assert (signal["gain"], signal["mute"]) == (-12.0, True)
        with Talk(instance):
            wait_for("the talker", lambda: talked_to(client), PATIENCE, 0.05)
            assert hears(client, 16_000) < LOUD
        client.control("setDevicesSettings", outputs(gain=0, mute=False))

    def test_an_input_that_is_off_is_not_heard(self, client: Client) -> None:
        def enabled(on: bool) -> Any:
            return {"devices": [{"inputs": [{"enabled": on}]}]}

        client.control("setDevicesSettings", enabled(False))
        assert client.get(RECEIVE).status_code == 503
        client.control("setDevicesSettings", enabled(True))

    @pytest.mark.parametrize(
        "end",
        [
            {"id": "7"},
            {"connectionTypeSelected": "bluetooth"},
            {"connectionTypes": [{"id": "internal", "signalTypes": [{"gain": 99}]}]},
            {"connectionTypes": [{"id": "internal", "signalTypes": [{"gain": 0.3}]}]},
            {"connectionTypes": [{"id": "internal", "signalTypes": [{"powerTypeSelected": "phantom"}]}]},
            {"loudness": 3},
        ],
    )
    def test_what_cannot_be_changes_nothing(self, client: Client, end: Any) -> None:
        before = client.control("getDevicesSettings")
        answer = client.control("setDevicesSettings", {"devices": [{"inputs": [{"enabled": False}, end]}]})
        assert answer["error"]["code"] == 2104
        assert client.control("getDevicesSettings") == before
        assert client.control("setDevicesSettings", {})["error"]["code"] == 2103

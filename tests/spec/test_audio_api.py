"""VAPIX Audio API: what a client may ask of receive.cgi and transmit.cgi, and the parameters - fact by fact."""

from __future__ import annotations

import asyncio
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from axcore.drivers.audio_streams import MAX_LISTENERS, AudioStreams
from axcore.interfaces.http.routes import RouteTable
from axcore.interfaces.http.vapix import audiodevicecontrol, audiostream, param
from axcore.model.accounts import Role
from axcore.services.audio import AudioService
from axcore.services.params import ENCODING, settings, two_way_audio
from axcore.services.time import check_zone
from axcore.testing.http import HttpDevice, Reply

RECEIVE, TRANSMIT = "/axis-cgi/audio/receive.cgi", "/axis-cgi/audio/transmit.cgi"
SAMPLES = array("h", [-32768, -2, -1, 0, 1, 2, 258, 32767] * 40)
"""20 ms at 16 kHz."""


def network_order(samples: array[int]) -> bytes:
    swapped = array("h", samples)
    swapped.byteswap()
    return swapped.tobytes()


class Listener:
    """A microphone that says the same 20 ms again and again."""

    def __init__(self, codec: str) -> None:
        self._packet = {"L16": network_order(SAMPLES), "G726-32": bytes(80)}.get(codec, bytes(160))

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def take(self) -> list[bytes]:
        return [self._packet] * 10


class Talker:
    """A loudspeaker that notes what it got."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.closed = False

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def offer(self, payload: bytes) -> None:
        self.packets.append(payload)


class Sound:
    """A microphone and a loudspeaker."""

    def __init__(self) -> None:
        self.talking = False
        self.talkers: list[Talker] = []
        self.most = -1

    def listen(self, codec: str, rate: int | None, *, most: int) -> Listener:
        self.most = most
        return Listener(codec)

    def talk(self, codec: str, rate: int | None) -> Talker:
        self.talkers.append(Talker())
        return self.talkers[-1]


class Site:
    """A device over HTTP whose sound is made up."""

    def __init__(self, folder: Path, two_way: Any) -> None:
        self.audio = AudioService(("internal", "line"), ("internal",))
        self.two_way = two_way
        intercom = SimpleNamespace(live=None, on_stream=lambda tx, kind, stream, *, started: None)
        self.device = HttpDevice(
            folder,
            routes=RouteTable((*audiostream.ROUTES, *param.ROUTES, *audiodevicecontrol.ROUTES)),
            sources=(two_way_audio(self.audio, lambda: self.device.params.text(ENCODING)),),
            audio=self.audio, two_way=two_way, intercom=intercom,
        )  # fmt: skip
        for role in (Role.ADMIN, Role.OPERATOR, Role.VIEWER):
            self.device.add_account(role.name.lower(), "pass", role)

    async def set(self, user: str = "operator", **changes: str) -> bool:
        """Whether parameters, with ``__`` for dots, could be set."""
        query = "&".join(f"{name.replace('__', '.')}={value}" for name, value in changes.items())
        answer = await self.device.request("GET", f"/axis-cgi/param.cgi?action=update&{query}", user=user)
        return answer.text.strip() == "OK"

    async def get(self, name: str) -> str:
        answer = await self.device.request("GET", f"/axis-cgi/param.cgi?action=list&group={name}", user="viewer")
        given, _, value = answer.text.strip().partition("=")
        assert given == f"root.{name}"
        return value

    async def asked(self, query: str = "") -> Reply:
        """The head of an answer of receive.cgi, or the whole refusal."""
        head = await self.device.request("HEAD", f"{RECEIVE}?{query}", user="viewer")
        return head if head.status == 200 else await self.device.request("GET", f"{RECEIVE}?{query}", user="viewer")

    @asynccontextmanager
    async def hears(self, query: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
        login = {"Authorization": f"Basic {b64encode(b'viewer:pass').decode()}"}
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False), headers=login) as session,
            session.get(f"{self.device.https}{RECEIVE}?{query}") as response,
        ):
            yield response

    async def heard(self, octets: int, query: str = "") -> bytes:
        async with self.hears(query) as response:
            assert response.status == 200
            return await response.content.readexactly(octets)

    async def says(self, data: Any, kind: str = "audio/basic", query: str = "") -> Reply:
        path = f"{TRANSMIT}?{query}" if query else TRANSMIT
        return await self.device.request("POST", path, user="viewer", data=data, headers={"Content-Type": kind})


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path, Sound())
    async with made.device:
        yield made


class TestReceive:
    async def test_without_arguments_it_is_singlepart_mu_law(self, site: Site) -> None:
        answer = await site.asked()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/basic")

    @pytest.mark.parametrize(
        ("codec", "kind", "bit_rate", "sample_rate"),
        [
            ("g711", "audio/basic", 64000, 8000),
            ("g726", "audio/G726-32", 32000, 8000),
            ("lpcm", "audio/L24; rate=16000; channels=1", 384000, 16000),
            ("g722", "audio/G722", 64000, 16000),
        ],
    )
    async def test_formats_with_their_rates(
        self, site: Site, codec: str, kind: str, bit_rate: int, sample_rate: int
    ) -> None:
        answer = await site.asked(f"audiocodec={codec}&audiobitrate={bit_rate}&audiosamplerate={sample_rate}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        for wrong in (f"audiobitrate={bit_rate + 1}", "audiosamplerate=44100"):
            answer = await site.asked(f"audiocodec={codec}&{wrong}")
            assert answer.status == 400
            assert wrong.partition("=")[0] in answer.text
            assert answer.headers["Content-Type"].startswith("text/plain")

    @pytest.mark.parametrize(
        "query",
        [
            "audio=1", "camera=1", "audiochannel=1", "audiodeviceid=0", "audioinputid=0", "audionbrofchannels=1",
            "audiodeviceid=0&audioinputid=0", "httptype=singlepart",
            "audio=1&camera=1&audiochannel=1&httptype=multipart",
        ],
    )  # fmt: skip
    async def test_what_the_device_has_can_be_named(self, site: Site, query: str) -> None:
        assert (await site.asked(query)).status == 200

    @pytest.mark.parametrize(
        "query",
        [
            "audio=0", "audio=2", "audio=yes", "camera=0", "camera=2", "audiochannel=0", "audiochannel=2",
            "audiodeviceid=1", "audioinputid=1", "audionbrofchannels=2", "httptype=many", "audiobitrate=",
            "audiocodec=", "audiocodec=G711", "volume=1", "audiobitrate=24000&audiocodec=g726", "camera=1&camera=2",
        ],
    )  # fmt: skip
    async def test_what_it_has_not_is_a_bad_request_that_names_it(self, site: Site, query: str) -> None:
        answer = await site.asked(query)
        assert answer.status == 400
        assert query.partition("=")[0] in answer.text
        assert answer.headers["Content-Type"].startswith("text/plain")

    @pytest.mark.parametrize("other", ["audiodeviceid", "audioinputid"])
    async def test_a_channel_and_a_device_exclude_each_other(self, site: Site, other: str) -> None:
        answer = await site.asked(f"audiochannel=1&{other}=0")
        assert (answer.status, "audiochannel" in answer.text) == (400, True)

    @pytest.mark.parametrize(("codec", "why"), [("aac", "not for HTTP"), ("opus", "cannot be told apart")])
    async def test_codecs_that_do_not_go_over_http_are_refused_with_the_reason(
        self, site: Site, codec: str, why: str
    ) -> None:
        answer = await site.asked(f"audiocodec={codec}")
        assert (answer.status, why in answer.text) == (400, True)

    async def test_lpcm_has_24_bits_in_network_byte_order(self, site: Site) -> None:
        data = await site.heard(960, "audiocodec=lpcm")
        found = [int.from_bytes(data[n : n + 3], "big", signed=True) for n in range(0, 960, 3)]
        assert found == [sample * 256 for sample in SAMPLES]

    @pytest.mark.parametrize(
        ("codec", "kind", "octets"), [("g711", "audio/basic", 512), ("g726", "audio/G726-32", 256)]
    )
    async def test_parts_of_multipart_have_type_and_length(
        self, site: Site, codec: str, kind: str, octets: int
    ) -> None:
        head = f"--myboundary\r\nContent-Type: {kind}\r\nContent-Length: {octets}\r\n\r\n".encode()
        async with site.hears(f"audiocodec={codec}&httptype=multipart") as response:
            assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=myboundary"
            for _ in range(3):
                assert await response.content.readexactly(len(head)) == head
                await response.content.readexactly(octets)
                assert await response.content.readexactly(2) == b"\r\n"

    async def test_a_part_of_lpcm_has_whole_samples(self, site: Site) -> None:
        data = await site.heard(200, "audiocodec=lpcm&httptype=multipart")
        length = int(data.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        assert length % 3 == 0

    async def test_parameters_say_what_comes_where_the_request_does_not(self, site: Site) -> None:
        assert await site.set(AudioSource__A0__AudioEncoding="g726", Audio__A0__HTTPMessageType="multipart")
        data = await site.heard(60)
        assert data.startswith(b"--myboundary\r\nContent-Type: audio/G726-32\r\n")
        answer = await site.asked("audiocodec=g711&httptype=singlepart")
        assert answer.headers["Content-Type"] == "audio/basic"


class TestTransmit:
    async def test_linear_samples_of_16_and_24_bits(self, site: Site) -> None:
        narrow = network_order(SAMPLES)
        wide = b"".join((sample * 256 + 255).to_bytes(3, "big", signed=True) for sample in SAMPLES)
        for kind, data in (("audio/L16", narrow), ("audio/L24; rate=16000; channels=1", wide)):
            assert (await site.says(data * 6, kind)).status == 200
            assert site.two_way.talkers[-1].packets == [narrow] * 6

    @pytest.mark.parametrize("kind", ["audio/basic", "audio/axis-mulaw-128", "audio/G726-32"])
    async def test_formats_of_the_table(self, site: Site, kind: str) -> None:
        assert (await site.says(bytes(640), kind)).status == 200

    @pytest.mark.parametrize("kind", ["audio/G726-24", "audio/mpeg4-generic", "audio/opus", "text/plain"])
    async def test_an_unknown_type_is_415(self, site: Site, kind: str) -> None:
        answer = await site.says(bytes(640), kind)
        assert answer.status == 415
        assert answer.headers["Content-Type"].startswith("text/plain")

    async def test_the_output_can_be_named(self, site: Site) -> None:
        assert (await site.says(bytes(160), query="audiodeviceid=0&audiooutputid=0")).status == 200
        for wrong in ("audiodeviceid=1", "audiooutputid=2", "audioinputid=0"):
            answer = await site.says(bytes(160), query=wrong)
            assert (answer.status, wrong.partition("=")[0] in answer.text) == (400, True)

    async def test_a_talker_of_whom_nothing_comes_is_ended(self, site: Site) -> None:
        assert await site.set(Audio__ReceiverTimeout="50")
        never = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"\x11" * 160
            await never.wait()

        assert (await site.says(body())).status == 200
        (talker,) = site.two_way.talkers
        assert (talker.packets, talker.closed) == ([b"\x11" * 160], True)


class TestSwitches:
    @pytest.mark.parametrize(
        ("name", "user"), [("Audio.A0.Enabled", "operator"), ("AudioSource.A0.AudioSupport", "admin")]
    )
    async def test_switched_off_nobody_hears_and_nobody_talks(self, site: Site, name: str, user: str) -> None:
        assert await site.get(name) == "yes"
        assert await site.set(user, **{name: "no"})
        for answer in (await site.asked(), await site.says(bytes(160))):
            assert (answer.status, name in answer.text) == (503, True)
            assert answer.headers["Content-Type"].startswith("text/plain")
        assert site.two_way.talkers == []
        assert await site.set(user, **{name: "yes"})
        assert (await site.asked()).status == 200

    async def test_who_hears_has_heard_the_last(self, site: Site) -> None:
        async with site.hears() as response:
            await response.content.readexactly(512)
            assert await site.set(Audio__A0__Enabled="no")
            await response.content.read()  # comes to an end

    async def test_max_listeners(self, tmp_path: Path) -> None:
        desk = SimpleNamespace(sit=lambda leg, seat: None, leave=lambda leg: None)
        card: Any = SimpleNamespace(desk=desk, free_seat=lambda: 0, do=lambda job: job())
        site = Site(tmp_path, AudioStreams(card))
        async with site.device:
            assert await site.set(Audio__MaxListeners="1")
            with site.two_way.listen("PCMU"):
                answer = await site.asked()
                assert (answer.status, "1 clients" in answer.text) == (503, True)
            assert (await site.asked()).status == 200
            assert await site.set(Audio__MaxListeners="0")
            assert (await site.asked()).status == 503


class TestParameters:
    async def test_what_the_device_fixes_can_only_be_read(self, site: Site) -> None:
        fixed = {
            "Audio.NbrOfConfigs": "1",
            "Audio.A0.NbrOfChannels": "1",
            "Audio.A0.Source": "0",
            "AudioSource.NbrOfSources": "1",
            "AudioSource.A0.NbrOfChannels": "1",
            "AudioSource.A0.BitRate": "64000",
            "AudioSource.A0.SampleRate": "8000",
        }
        for name, value in fixed.items():
            assert await site.get(name) == value
            assert not await site.set("admin", **{name: value})

    @pytest.mark.parametrize(
        ("name", "default", "good", "bad"),
        [
            ("Audio.DuplexMode", "full", "half", "both"),
            ("Audio.MaxListeners", str(MAX_LISTENERS), "20", "21"),
            ("Audio.ReceiverTimeout", "1000", "9999", "10000"),
            ("Audio.A0.Enabled", "yes", "no", "maybe"),
            ("Audio.A0.HTTPMessageType", "singlepart", "multipart", "many"),
            ("AudioSource.A0.AudioEncoding", "g711", "lpcm", "aac"),
            ("AudioSource.A0.InputType", "internal", "line", "digital"),
        ],
    )
    async def test_what_can_be_chosen(self, site: Site, name: str, default: str, good: str, bad: str) -> None:
        assert await site.get(name) == default
        assert not await site.set("viewer", **{name: good})
        assert not await site.set(**{name: bad})
        assert await site.get(name) == default
        assert await site.set(**{name: good})
        assert await site.get(name) == good

    async def test_names(self, site: Site) -> None:
        assert (await site.get("Audio.A0.Name"), await site.get("AudioSource.A0.Name")) == ("", "Audio")
        assert await site.set(Audio__A0__Name="Door", AudioSource__A0__Name="Microphone")
        assert (await site.get("Audio.A0.Name"), await site.get("AudioSource.A0.Name")) == ("Door", "Microphone")

    async def test_a_source_is_switched_by_administrators_alone(self, site: Site) -> None:
        assert not await site.set("operator", AudioSource__A0__AudioSupport="no")
        assert await site.set("admin", AudioSource__A0__AudioSupport="no")

    async def test_rates_are_those_of_the_encoding(self, site: Site) -> None:
        assert await site.set(AudioSource__A0__AudioEncoding="lpcm")
        assert await site.get("AudioSource.A0.BitRate") == "384000"
        assert await site.get("AudioSource.A0.SampleRate") == "16000"

    async def test_the_input_type_is_that_of_the_audio_settings(self, site: Site) -> None:
        assert await site.set(AudioSource__A0__InputType="line")
        assert site.audio.settings.input.type == "line"

    async def test_formats_are_told(self, site: Site) -> None:
        assert set((await site.get("Properties.Audio.Format")).split(",")) == {"g711", "g726", "lpcm", "g722"}
        decoded = set((await site.get("Properties.Audio.Decoder.Format")).split(","))
        assert decoded >= {"g711", "g726", "axis-mulaw-128"}

    def test_a_device_without_two_way_audio_has_none_of_them(self) -> None:
        names = [setting.name for setting in settings(check_zone, two_way=False)]
        names += [parameter.name for parameter in two_way_audio(None, lambda: "g711")()]
        assert [name for name in names if name.startswith(("Audio.", "Properties.Audio"))] == []
        assert "Audio.DuplexMode" in [setting.name for setting in settings(check_zone)]

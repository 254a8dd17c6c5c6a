"""playclip.cgi, stopclip.cgi, mediaclip.cgi, param.cgi MediaClip and REST: what they do, and what a refusal leaves."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.errors import InputError
from axcore.interfaces.http.rest import audio as rest
from axcore.interfaces.http.vapix import mediaclip, playclip
from axcore.model.accounts import Role
from axcore.services.clips import ClipFiles, ClipService
from axcore.services.clips.upload import Uploader
from axcore.services.params import ParamService, media_clips
from tests.unit.services.test_clips import FakePlayer, wav


class ClipDevice(Device):
    """The stub device with a loudspeaker."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.clips = ClipService(ClipFiles(folder), self.ledger.post)
        self.player = FakePlayer()
        self.clips.attach(self.player)
        self.ledger.load(self.clips.load)
        self.ledger.add_timer(self.clips)
        self.ledger.do(self.clips.start_up)
        self.uploads = Uploader(self.clips, self.ledger.run)
        self.params = ParamService((), sources=(media_clips(self.clips),))

    def state(self) -> tuple[Any, ...]:
        """Everything a refused request must leave as it was."""
        folder = self.folder / "clips"
        files = sorted(folder.iterdir()) if folder.exists() else []
        return self.clips.clips(), self.clips.playing, files, list(self.player.asked)


@pytest.fixture
def device(tmp_path: Path) -> ClipDevice:
    return ClipDevice(tmp_path)


def request(query: str = "", *, method: str = "GET", body: bytes = b"", kind: str = "", **path: str) -> Any:
    made: Any = FakeRequest(query, body=body, content_type=kind.partition(";")[0], role=Role.OPERATOR, **path)
    made.method, made.headers = method, {"Content-Type": kind}
    return made


async def ask(device: ClipDevice, handler: Any, query: str = "", **more: Any) -> tuple[int, bytes]:
    response = await handler(request(query, **more), device)
    return response.status, response.body


def form(file: bytes, filename: str = "bell.wav") -> dict[str, Any]:
    head = f'--B\r\nContent-Disposition: form-data; name="f"; filename="{filename}"\r\n\r\n'
    return {
        "method": "POST",
        "body": head.encode() + file + b"\r\n--B--\r\n",
        "kind": "multipart/form-data; boundary=B",
    }


async def test_play_and_stop(device: ClipDevice) -> None:
    assert await ask(device, playclip.playclip_cgi, "clip=3") == (200, b"OK\nplaying=3\n")
    assert await ask(device, playclip.playclip_cgi, "clip=3&repeat=-1&volume=0") == (200, b"OK\nplaying=3\n")
    query = "location=/etc/audioclips/MediaClip.M4.au&audiodeviceid=0&audiooutputid=0&repeat=2&volume=1000"
    assert await ask(device, playclip.playclip_cgi, query) == (200, b"OK\nplaying=4\n")
    assert await ask(device, playclip.stopclip_cgi) == (200, b"OK\nstopping\n")
    assert await ask(device, playclip.stopclip_cgi) == (200, b"OK\nstopping\n")
    assert device.player.asked == [("play", 1.0, 1), ("play", 0.0, 0), ("play", 10.0, 3), ("stop",)]
    assert await ask(device, mediaclip.mediaclip_cgi, "action=play&clip=0&audiooutput=1") == (200, b"OK\nplaying=0\n")
    assert await ask(device, mediaclip.mediaclip_cgi, "action=stop") == (200, b"OK\nstopping\n")


async def test_from_upload_to_remove(device: ClipDevice) -> None:
    query = "action=upload&media=audio&name=My%20bell"
    assert await ask(device, mediaclip.mediaclip_cgi, query, **form(wav())) == (200, b"OK\nuploaded=5\n")
    listed = dict(device.params.list(["root.MediaClip.M5"]))
    assert listed == {
        "MediaClip.M5.Name": "My bell",
        "MediaClip.M5.Location": "/etc/audioclips/MediaClip.M5.au",
        "MediaClip.M5.Type": "audio",
    }
    assert await ask(device, mediaclip.mediaclip_cgi, "action=update&clip=5&name=Bell") == (200, b"OK\nupdated=5\n")
    device.ledger.do(lambda tx: device.params.update(tx, {"MediaClip.M5.Name": "Gong"}, role=Role.OPERATOR))
    assert device.clips.clip(5).name == "Gong"
    with pytest.raises(InputError):
        device.ledger.do(lambda tx: device.params.update(tx, {"MediaClip.M5.Location": "/etc/passwd"}))
    status, body = await ask(device, mediaclip.mediaclip_cgi, "action=download&clip=5")
    samples, rate = soundfile.read(io.BytesIO(body))
    assert (status, rate, len(samples)) == (200, 48_000, 12_000)
    assert await ask(device, mediaclip.mediaclip_cgi, "action=remove&clip=5") == (200, b"OK\nremoved=5\n")
    assert device.state()[2] == []


async def test_limits_are_told(device: ClipDevice) -> None:
    listed = dict(device.params.list(["MediaClip", "Properties.AudioClip"]))
    assert listed["MediaClip.MaxGroups"] == "50"
    assert listed["MediaClip.MaxUploadSize"] == "10"
    assert listed["Properties.AudioClip.StopClip"] == "yes"
    assert listed["Properties.AudioClip.Format"] == "au,mp3,opus,vorbis,wav"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "clip"),
        ("clip=", "clip"),
        ("clip=9", "clip"),
        ("clip=-1", "clip"),
        ("clip=1e3", "clip"),
        ("clip=99999999999", "clip"),
        ("clip=%D9%A3", "clip"),
        ("clip=3&volume=1001", "volume"),
        ("clip=3&volume=loud", "volume"),
        ("clip=3&repeat=-2", "repeat"),
        ("clip=3&audiodeviceid=0", "audiodeviceid"),
        ("clip=3&audiodeviceid=1&audiooutputid=0", "audiodeviceid"),
        ("clip=3&audiodeviceid=0&audiooutputid=1", "audiooutputid"),
        ("clip=3&audiooutput=2", "audiooutput"),
        ("clip=3&audiooutput=1&audiodeviceid=0&audiooutputid=0", "audiooutput"),
        ("location=/etc/passwd", "location"),
        ("location=../../state.db", "location"),
        ("clip=3&x=1", "x"),
    ],
)
async def test_play_refuses(device: ClipDevice, query: str, field: str) -> None:
    before = device.state()
    for handler, prefix in ((playclip.playclip_cgi, ""), (mediaclip.mediaclip_cgi, "action=play&")):
        status, body = await ask(device, handler, prefix + query)
        assert (status, body.startswith(f"400 Bad Request\n{field}: ".encode())) == (400, True), body
    assert device.state() == before


@pytest.mark.parametrize(
    ("query", "more", "field"),
    [
        ("", {}, "action"),
        ("action=reboot", {}, "action"),
        ("action=upload&media=audio", {}, "action"),
        ("action=remove&clip=3", {"method": "POST"}, "action"),
        ("action=remove", {}, "clip"),
        ("action=remove&clip=77", {}, "clip"),
        ("action=download&clip=77", {}, "clip"),
        ("action=update&clip=3", {}, "name"),
        ("action=update&clip=3&name=", {}, "name"),
        ("action=update&clip=3&name=Alert", {}, "name"),
        ("action=upload&media=video", form(wav()), "media"),
        ("action=upload", {"method": "POST", "body": wav(), "kind": "audio/basic"}, "Content-Type"),
        ("action=upload", {"method": "POST", "body": b"", "kind": "multipart/form-data; boundary=B"}, "body"),
        ("action=upload", form(b""), "file"),
        ("action=upload", form(b"rubbish" * 1000), "file"),
        ("action=upload&name=Beep", form(wav()), "name"),
        ("action=upload&name=..%2F..%2Fx%00", form(wav()), "name"),
    ],
)
async def test_mediaclip_refuses(device: ClipDevice, query: str, more: dict[str, Any], field: str) -> None:
    before = device.state()
    if "%00" in query:
        with pytest.raises(Exception, match="NUL"):
            await ask(device, mediaclip.mediaclip_cgi, query, **more)
    else:
        status, body = await ask(device, mediaclip.mediaclip_cgi, query, **more)
        assert (status, body.startswith(f"400 Bad Request\n{field}: ".encode())) == (400, True), body
    assert device.state() == before


async def test_rest(device: ClipDevice) -> None:
    async def call(handler: Any, query: str = "", data: Any = None, **more: Any) -> tuple[int, Any]:
        if data is not None:
            more |= {"body": msgspec.json.encode({"data": data}), "kind": "application/json"}
        status, body = await ask(device, rest.rest(handler), query, **more)
        return status, msgspec.json.decode(body)

    status, reply = await call(rest.add_clip, "name=Bell", **form(wav()))
    clip = {"id": 5, "name": "Bell", "gain": 0.0, "format": "wav", "seconds": 0.25}
    clip["path"] = "/etc/audioclips/MediaClip.M5.au"
    assert (status, reply["data"]) == (201, clip)
    assert (await call(rest.list_clips))[1]["data"][5] == clip
    assert (await call(rest.get_clip, id="5"))[1]["data"] == clip
    changed = (await call(rest.patch_clip, data={"gain": -6.0}, id="5"))[1]["data"]
    assert changed == clip | {"gain": -6.0}
    link = (await call(rest.get_link, "volume=50&repeat=-1", id="5"))[1]["data"]["path"]
    assert await ask(device, playclip.playclip_cgi, link.partition("?")[2]) == (200, b"OK\nplaying=5\n")
    assert (await call(rest.get_status))[1]["data"] == {"clip": 5, "name": "Bell", "seconds_left": None}
    assert (await call(rest.play_clip, data={"repeat": 3}, id="5"))[1]["data"]["seconds_left"] == 1.0
    assert (await call(rest.stop_clip))[0] == 200
    assert (await call(rest.get_status))[1]["data"] == {"clip": None, "name": "", "seconds_left": None}
    assert (await ask(device, rest.rest(rest.get_file), id="5"))[1][:4] == b".snd"
    assert (await call(rest.delete_clip, id="5"))[0] == 200
    assert device.state()[2] == []


@pytest.mark.parametrize(
    ("handler", "more", "status", "field"),
    [
        (rest.get_clip, {"id": "9"}, 404, "clip"),
        (rest.get_clip, {"id": "x"}, 404, "id"),
        (rest.delete_clip, {"id": "-1"}, 404, "id"),
        (rest.get_file, {"id": "9"}, 404, "clip"),
        (rest.patch_clip, {"id": "3", "data": {"name": "Alert"}}, 409, "name"),
        (rest.patch_clip, {"id": "3", "data": {"gain": 21}}, 400, "gain"),
        (rest.patch_clip, {"id": "3", "data": {"source": "file:x"}}, 400, "source"),
        (rest.play_clip, {"id": "3", "data": {"volume": -1}}, 400, "volume"),
        (rest.play_clip, {"id": "3", "data": {"repeat": "often"}}, 400, "repeat"),
        (rest.get_link, {"id": "3", "query": "volume=2000"}, 400, "volume"),
        (rest.add_clip, {"data": {}}, 415, ""),
        (rest.add_clip, form(b"rubbish"), 400, "file"),
    ],
)
async def test_rest_refuses(device: ClipDevice, handler: Any, more: dict[str, Any], status: int, field: str) -> None:
    before, more = device.state(), dict(more)
    if "data" in more:
        more |= {"body": msgspec.json.encode({"data": more.pop("data")}), "kind": "application/json"}
    found, body = await ask(device, rest.rest(handler), more.pop("query", ""), **more)
    error = msgspec.json.decode(body)["error"]
    assert (found, error.get("field", "")) == (status, field)
    assert device.state() == before


ARGUMENTS = ("action", "clip", "location", "name", "repeat", "volume", "audiodeviceid", "audiooutputid", "media")
VALUES = st.one_of(st.text(max_size=40), st.integers(-5, 60).map(str), st.sampled_from(list(mediaclip.ARGUMENTS)))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(ARGUMENTS), VALUES, max_size=5))
def test_any_arguments_are_survived(tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, str]) -> None:
    from urllib.parse import urlencode

    from axcore.interfaces.http.errors import BadRequestError

    device = ClipDevice(tmp_path_factory.mktemp("clips"))
    query = urlencode({key: value.encode("utf-8", "replace") for key, value in arguments.items()})
    for handler in (playclip.playclip_cgi, mediaclip.mediaclip_cgi):
        try:
            status, body = asyncio.run(ask(device, handler, query))
        except BadRequestError:
            continue
        assert (status, body[:3]) in ((200, b"OK\n"), (200, b".sn"), (400, b"400"))
    assert device.state()[2] == []

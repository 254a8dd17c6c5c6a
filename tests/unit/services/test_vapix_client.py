"""The client of a controller on the network: order, freshness, nonsense for an answer, one that never answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.model.credentials import CardValue, CredentialRead
from axcore.runtime.outbox import Outbox
from axcore.services.reader import ReaderSettings, vapix
from axcore.services.reader.settings import VapixReader
from axcore.services.reader.vapix import FRESH_SECONDS, IdPoint, Request, VapixClient, VapixOutput
from axcore.services.recipients import DeliveryError
from axcore.wiegand import Bits

READ = CredentialRead(kind="card", card=CardValue(bits=26, value="02004fcb"))
BITS = Bits(0x2004FCB, 26)


class Service:
    """What the client tells."""

    def __init__(self) -> None:
        self.settings = ReaderSettings(
            protocol="vapix", vapix=VapixReader(host="door", reader="point", access_controller="controller")
        )
        self.told: list[Any] = []

    def on_answer(self, tx: Any, granted: bool) -> None:
        self.told.append(granted)

    def on_status(self, tx: Any, status: Any) -> None:
        self.told.append(status.link)


class Rig:
    def __init__(self, answer: Any = b'{"AccessGranted":true}') -> None:
        self.box: Outbox[Request] = Outbox(4)
        self.now = 100.0
        self.output = VapixOutput(self.box, lambda: self.now)
        self.service = Service()
        self.asked: list[tuple[str, Any]] = []
        self.answer = answer
        submit: Callable[[Any], object] = lambda job: job(None)  # noqa: E731
        self.client = VapixClient(self.box, self.service, submit, self._exchange, lambda: self.now)

    async def _exchange(self, _: VapixReader, path: str, document: bytes) -> bytes:
        self.asked.append((path, msgspec.json.decode(document)))
        answer = self.answer(self.asked[-1][1]) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.Event().wait()
        return bytes(answer)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.client.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, ready: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not ready():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0)


async def test_a_card_its_metadata_and_the_answer() -> None:
    rig = Rig()
    read = msgspec.structs.replace(READ, metadata={"Badge": CardValue(bits=16, value="00ff")})
    assert rig.output.card(read, BITS)
    async with rig.running():
        await rig.until(lambda: len(rig.service.told) == 2)
    ((path, document),) = rig.asked
    data = [{"Name": n, "Value": v} for n, v in (("Card", "02004fcb"), ("BitCount", "26"), ("Badge", "00ff"))]
    ask = {"Token": "controller", "SourceToken": "point", "IdData": data}
    assert (path, document) == ("/vapix/pacs", {"pacsaxis:RequestAccess": ask})
    assert rig.service.told == [True, "clear"]


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"no JSON", b"[]", b"null", b"{", b'{"AccessGranted":"true"}', b'{"AccessGranted":1}',
        b'{"Reason":"Granted"}', b'{"AccessGranted":true,"Fault":"env:Receiver"}', b"\xff\xfe",
        DeliveryError("answered 500"),
    ],
)  # fmt: skip
async def test_nothing_but_a_plain_yes_lets_in(answer: Any) -> None:
    rig = Rig(answer)
    await rig.client.send(Request(kind="Card", data=(("Card", "00"),), at=rig.now))
    assert rig.service.told == ["offline", False]


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=6)
FIELDS = st.sampled_from(["AccessGranted", "pacsaxis:AccessGranted", "Fault", "Reason", ""])
JSON = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(FIELDS, PLAIN | st.lists(PLAIN, max_size=2), max_size=4)


@given(JSON | st.binary(max_size=40))
def test_whatever_is_answered_only_a_plain_yes_lets_in(answer: Any) -> None:
    raw = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    rig = Rig(raw)
    asyncio.run(rig.client.send(Request(kind="Card", at=rig.now)))
    names = ("AccessGranted", "pacsaxis:AccessGranted")
    said = answer if isinstance(answer, dict) else {}
    plain = any(said.get(name) is True for name in names) and not said.get("Fault")
    assert rig.service.told in ([True, "clear"], [False, "clear"], ["offline", False])
    if rig.service.told[0] is True:
        assert plain


async def test_without_an_access_controller_the_id_point_is_told_and_nothing_is_shown() -> None:
    rig = Rig(b"{}")
    settings = rig.service.settings
    rig.service.settings = msgspec.structs.replace(settings, vapix=VapixReader(host="door", reader="point"))
    for send in (lambda: rig.output.pin("1234"), rig.output.rex):
        assert send()
        await rig.client.send(await rig.box.get())
    activities = [document["axtid:IndicateRemoteActivities"]["Activities"] for _, document in rig.asked]
    assert activities == [
        [{"Type": "PIN", "Params": [{"Name": "PIN", "Value": "1234"}]}],
        [{"Type": "REX", "Params": []}],
    ]
    assert {path for path, _ in rig.asked} == {"/vapix/idpoint"}
    assert rig.service.told == ["clear", "clear"]


async def test_what_has_become_old_is_not_sent() -> None:
    """A door that opens long after a card was shown opens for somebody else."""
    rig = Rig()
    rig.output.card(READ, BITS)
    rig.now += FRESH_SECONDS + 0.1
    await rig.client.send(await rig.box.get())
    assert rig.asked == []
    assert rig.service.told == []


async def test_a_controller_that_never_answers_is_given_up_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vapix, "TIMEOUT_SECONDS", 0.01)
    rig = Rig(None)
    rig.output.card(READ, BITS)
    async with rig.running():
        await rig.until(lambda: rig.service.told == ["offline", False])
        rig.answer = b'{"AccessGranted":true}'
        rig.output.card(READ, BITS)
        await rig.until(lambda: rig.service.told[2:] == [True, "clear"])


async def test_a_look_at_a_controller_that_does_not_answer_holds_up_no_card() -> None:
    def answer(document: Any) -> Any:
        return None if "axtid:GetIdPointInfoList" in document else b'{"AccessGranted":true}'

    rig = Rig(answer)
    assert rig.output.look()
    assert rig.output.look()
    async with rig.running():
        await rig.until(lambda: rig.asked)
        rig.output.card(READ, BITS)
        await rig.until(lambda: True in rig.service.told)
    assert [next(iter(document)) for _, document in rig.asked] == ["axtid:GetIdPointInfoList", "pacsaxis:RequestAccess"]


async def test_the_box_is_bounded() -> None:
    rig = Rig()
    assert [rig.output.card(READ, BITS) for _ in range(6)] == [True] * 4 + [False] * 2
    assert rig.box.refused == 2


async def test_nothing_is_sent_once_another_protocol_is_chosen() -> None:
    rig = Rig()
    rig.service.settings = ReaderSettings()
    await rig.client.send(Request(kind="Card", at=rig.now))
    await rig.client.look()
    assert rig.asked == []


async def test_the_readers_of_a_controller() -> None:
    points = {"IdPointInfo": [{"token": "a", "Name": "In"}, {"token": "b"}]}
    rig = Rig(msgspec.json.encode(points))
    found = await rig.client.readers(rig.service.settings.vapix)
    assert found == [IdPoint(token="a", name="In"), IdPoint(token="b")]
    rig.answer = b'{"AccessControllerInfo":[{"token":"c","Name":"Here"}]}'
    assert await rig.client.access_controllers(rig.service.settings.vapix) == [IdPoint(token="c", name="Here")]
    for wrong in ([{"Name": "In"}], [1], 5, {"token": "a"}):
        rig.answer = msgspec.json.encode({"IdPointInfo": wrong})
        with pytest.raises(DeliveryError, match="makes no sense"):
            await rig.client.readers(rig.service.settings.vapix)


def test_what_waits_shows_no_secrets() -> None:
    assert "1234" not in repr(Request(kind="PIN", data=(("PIN", "1234"),)))

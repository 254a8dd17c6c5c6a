"""The VAPIX reader: what was shown here goes to a door controller on the network (VAPIX: ID point, access control).

With the token of an access controller, access is requested and the answer is shown (pacsaxis:RequestAccess); without,
the activity is told to the id point (axtid:IndicateRemoteActivities). Card data goes as ``Card``: all bits,
right-aligned, in lower-case hexadecimal, with ``BitCount``.

Credentials wait in a bounded box, and no longer than ``FRESH_SECONDS``: a door that opens minutes after a card was
shown opens for somebody else. Threads: ``VapixOutput`` any, ``VapixClient`` the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from axcore.devices.reader import ReaderStatus
from axcore.model.credentials import CredentialRead
from axcore.runtime.outbox import Outbox
from axcore.services.recipients import DeliveryError
from axcore.wiegand import Bits

from .settings import VapixReader

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
TIMEOUT_SECONDS = 5.0
LOOK_SECONDS = 30.0
"""How often the controller is looked at while nothing is shown."""
DESCRIPTION = "Door station"
Kind = Literal["Card", "PIN", "REX", "Look"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was shown."""

    kind: Kind
    data: tuple[tuple[str, str], ...] = ()
    at: float = 0.0
    """Monotonic seconds."""

    def __repr__(self) -> str:
        return f"Request({self.kind})"


class IdPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A reader of the controller, or one of its access controllers, to choose from."""

    token: str
    name: str = ""


Exchange = Callable[[VapixReader, str, bytes], Awaitable[bytes]]
"""POST a JSON document to a path of the controller; gives its answer. Raises DeliveryError."""


class Service(Protocol):
    """What the client needs of ``ReaderService``."""

    @property
    def settings(self) -> Any: ...

    def on_answer(self, tx: Transaction, granted: bool) -> None: ...

    def on_status(self, tx: Transaction, status: ReaderStatus) -> None: ...


class VapixOutput:
    """Puts what was shown into the box (``wires.VapixWire``)."""

    def __init__(self, box: Outbox[Request], clock: Callable[[], float] = time.monotonic) -> None:
        self._box, self._clock = box, clock

    def card(self, read: CredentialRead, bits: Bits | None) -> bool:
        """A card with its metadata, or a QR code, whose text goes as ``QR``."""
        if read.kind == "qr" and read.qr is not None:
            return self._post("Card", (("QR", read.qr),))
        if bits is None:
            return False
        told = ((name, value.value) for name, value in read.metadata.items())
        return self._post("Card", (("Card", bits.hex()), ("BitCount", str(bits.nbits)), *told))

    def look(self) -> bool:
        """Find out whether the controller is there."""
        return self._post("Look", ())

    def pin(self, digits: str) -> bool:
        return self._post("PIN", (("PIN", digits),))

    def rex(self) -> bool:
        return self._post("REX", ())

    def _post(self, kind: Kind, data: tuple[tuple[str, str], ...]) -> bool:
        return self._box.post(Request(kind=kind, data=data, at=self._clock()))


class VapixClient:
    """Sends what is in the box, one after the other. ``submit`` posts a job to the ledger."""

    def __init__(
        self,
        box: Outbox[Request],
        service: Service,
        submit: Callable[[Callable[[Transaction], Any]], object],
        exchange: Exchange,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._box, self._service, self._submit, self._exchange = box, service, submit, exchange
        self._clock = clock

    async def run(self) -> None:
        """Until it is cancelled. A look at a controller that is not there holds up no card."""
        looking: asyncio.Task[None] | None = None
        try:
            while True:
                request = Request(kind="Look")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        request = await self._box.get()
                if request.kind != "Look":
                    await self.send(request)
                elif looking is None or looking.done():
                    looking = asyncio.create_task(self.look())
        finally:
            if looking is not None:
                looking.cancel()

    async def send(self, request: Request) -> None:
        """Send one; what has become old is dropped. Where nobody answers, the person is told no."""
        settings = self._service.settings
        if settings.protocol != "vapix":
            return
        if self._clock() - request.at > FRESH_SECONDS:
            log.warning("a credential was not sent in time, and is dropped")
            return
        vapix: VapixReader = settings.vapix
        try:
            if vapix.access_controller and request.kind != "REX":
                granted = await self._request_access(vapix, request)
                self._submit(lambda tx: self._service.on_answer(tx, granted))
            else:
                await self._indicate(vapix, request)
        except DeliveryError as error:
            log.warning("the door controller was not told: %s", error.reason)
            self._tell(False)
            if request.kind != "REX":
                self._submit(lambda tx: self._service.on_answer(tx, False))
            return
        self._tell(True)

    async def _request_access(self, vapix: VapixReader, request: Request) -> bool:
        ask = {
            "Token": vapix.access_controller,
            "SourceToken": vapix.reader,
            "IdData": [{"Name": name, "Value": value} for name, value in request.data],
        }
        answer = await self._call(vapix, "/vapix/pacs", {"pacsaxis:RequestAccess": ask})
        granted = answer.get("AccessGranted", answer.get("pacsaxis:AccessGranted"))
        if not isinstance(granted, bool):
            raise DeliveryError("the controller's answer to RequestAccess has no AccessGranted")
        return granted

    async def _indicate(self, vapix: VapixReader, request: Request) -> None:
        parameters = [{"Name": name, "Value": value} for name, value in request.data]
        activity = {"Type": request.kind, "Params": parameters}
        told = {"Token": vapix.reader, "Description": DESCRIPTION, "Activities": [activity]}
        await self._call(vapix, "/vapix/idpoint", {"axtid:IndicateRemoteActivities": told})

    async def readers(self, vapix: VapixReader) -> list[IdPoint]:
        """*Connect*: the readers that the controller has. Raises DeliveryError."""
        answer = await self._call(vapix, "/vapix/idpoint", {"axtid:GetIdPointInfoList": {}})
        return self._entries(answer.get("IdPointInfo", []))

    async def access_controllers(self, vapix: VapixReader) -> list[IdPoint]:
        """Those that may be asked for access. Raises DeliveryError."""
        answer = await self._call(vapix, "/vapix/pacs", {"pacsaxis:GetAccessControllerInfoList": {}})
        return self._entries(answer.get("AccessControllerInfo", []))

    @staticmethod
    def _entries(found: Any) -> list[IdPoint]:
        try:
            return [IdPoint(token=str(entry["token"]), name=str(entry.get("Name", ""))) for entry in found]
        except (TypeError, KeyError, AttributeError):
            raise DeliveryError("the controller's list makes no sense") from None

    async def _call(self, vapix: VapixReader, path: str, document: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                raw = await self._exchange(vapix, path, msgspec.json.encode(document))
        except TimeoutError:
            raise DeliveryError("the controller did not answer in time") from None
        try:
            answer = msgspec.json.decode(raw or b"{}")
        except msgspec.DecodeError:
            raise DeliveryError("the controller's answer is not JSON") from None
        if not isinstance(answer, dict):
            raise DeliveryError("the controller's answer is no object")
        if fault := answer.get("Fault", answer.get("env:Fault")):
            raise DeliveryError(f"the controller refused: {str(fault)[:200]}")
        return answer

    async def look(self) -> None:
        """Find out whether the controller answers."""
        settings = self._service.settings
        if settings.protocol != "vapix":
            return
        try:
            await self.readers(settings.vapix)
        except DeliveryError as error:
            log.info("the door controller is not there: %s", error.reason)
            self._tell(False)
        else:
            self._tell(True)

    def _tell(self, reached: bool) -> None:
        status = ReaderStatus(link="clear") if reached else ReaderStatus(why="silence")
        self._submit(lambda tx: self._service.on_status(tx, status))

"""A door controller whose real HTTP server speaks PACS over a ledger in memory, with doors that are real machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import msgspec

from axcore.devices import MODELS, DeviceModel
from axcore.devices.door import DoorMachine, start
from axcore.devices.door_parts import Output
from axcore.errors import NotFoundError
from axcore.interfaces.http.server import HttpOptions, HttpServer
from axcore.interfaces.pacs.table import SERVICES
from axcore.model.doors import DoorState
from axcore.services.pacs.service import PacsService
from axcore.testing.http import HttpDevice, Reply

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, (uri, _) in SERVICES.items())
METHODS = {
    "LockDoor": "lock_door", "UnlockDoor": "unlock_door", "DoubleLockDoor": "double_lock", "BlockDoor": "block",
    "ReleaseDoor": "release", "LockDownDoor": "lockdown", "LockDownReleaseDoor": "lockdown_release",
    "LockOpenDoor": "lockopen", "LockOpenReleaseDoor": "lockopen_release",
}  # fmt: skip
LEVELLED = ("LockDoor", "UnlockDoor", "DoubleLockDoor", "BlockDoor", "ReleaseDoor")


class Doors:
    """The doors that are configured, each a real state machine; time is that of the ledger."""

    def __init__(self, pacs: PacsService) -> None:
        self._pacs = pacs
        self.model: DeviceModel = MODELS["a8207-ve-mk2"]
        self.machines: dict[str, DoorMachine] = {}
        self.outputs: list[Output] = []

    def machine(self, token: str) -> DoorMachine:
        if token not in self._pacs.doors:
            raise NotFoundError("Token", f"there is no door {token!r}")
        if token not in self.machines:
            self.machines[token], _ = start(self._pacs.door_setup(token), 0)
        return self.machines[token]

    def line_of(self, token: str, usage: str) -> str:
        return ""

    def state(self, token: str) -> DoorState:
        return self.machine(token).state

    def access(self, tx: Any, token: str, request: str = "", **given: Any) -> None:
        self._keep(tx, token, self.machine(token).access(tx.now.mono_ns, request, **given))

    def command(self, tx: Any, token: str, command: str, level: str = "") -> None:
        arguments = (level,) if command in LEVELLED else ()
        self._keep(tx, token, getattr(self.machine(token), METHODS[command])(tx.now.mono_ns, *arguments))

    def _keep(self, tx: Any, token: str, step: tuple[DoorMachine, list[Output]]) -> None:
        before = self.machines[token]
        self.machines[token] = step[0]
        self.outputs += step[1]
        tx.on_rollback(lambda: self.machines.__setitem__(token, before))


class Controller:
    """``json`` and ``soap`` call operations as the administrator."""

    def __init__(self, folder: Path) -> None:
        self.http = HttpDevice(folder)
        self.ledger = self.http.ledger
        self.pacs = PacsService(self.ledger.bus)
        self.doors = Doors(self.pacs)
        self.parts = SimpleNamespace(pacs=self.pacs, doors=self.doors, readers=None)
        self.http.ctx.controller = self.parts
        self.http.server = HttpServer(self.http.ctx, HttpOptions(data_dir=folder, http_port=0, https_port=0))
        self.ledger.load(self.pacs.load)
        self.ledger.add_timer(self.pacs)

    async def __aenter__(self) -> Controller:
        self.http.add_account("root", "pass")
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.__aexit__(*exc)

    async def post(self, path: str, body: bytes, user: str | None = "root", kind: str = "application/json") -> Reply:
        return await self.http.request("POST", path, user=user, data=body, headers={"Content-Type": kind})

    async def json(self, method: str, arguments: Mapping[str, Any] | None = None, path: str = "/vapix/pacs") -> Any:
        """The answer; AssertionError for a fault."""
        reply = await self.post(path, msgspec.json.encode({method: arguments or {}}))
        assert reply.status == 200, reply.text
        return msgspec.json.decode(reply.body)

    async def fault(self, method: str, arguments: Any = None, path: str = "/vapix/pacs") -> dict[str, Any]:
        """The fault; AssertionError for an answer."""
        reply = await self.post(path, msgspec.json.encode({method: arguments or {}}))
        assert reply.status == 400, reply.text
        found: dict[str, Any] = msgspec.json.decode(reply.body)
        return found

    async def soap(self, body: str, status: int = 200) -> ElementTree.Element:
        """The element in the body of the answer."""
        envelope = f'<s:Envelope xmlns:s="{SOAP12}" {SPACES}><s:Body>{body}</s:Body></s:Envelope>'
        reply = await self.post("/vapix/services", envelope.encode(), kind="application/soap+xml")
        assert reply.status == status, reply.text
        found = ElementTree.fromstring(reply.body).find(f"{{{SOAP12}}}Body")
        assert found is not None
        return found[0]

    async def make_door(self, token: str = "", **settings: str) -> str:
        """A door with a relay lock and a door monitor."""
        answer = await self.json("axtdc:SetDoor", {"Door": [{"token": token, "Name": "Front"}]}, "/vapix/doorcontrol")
        made: str = answer["Token"][0]
        values = {
            "Lock.Type": "Relay", "DoorMonitor.ValueWhenOpen": "Input Open",
            "DoorMonitor.ValueWhenClosed": "Input Ground", **{key.replace("_", "."): v for key, v in settings.items()},
        }  # fmt: skip
        configuration = [{"Name": name, "Value": value} for name, value in values.items()]
        body = {"DoorConfiguration": [{"token": made, "Configuration": configuration}]}
        await self.json("axtdc:SetDoorConfiguration", body, "/vapix/doorcontrol")
        return made

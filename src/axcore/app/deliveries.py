"""What the workers of the recipients are made of: the device's facts, its files, its own ports."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from axcore.errors import NotFoundError
from axcore.model.events import Event
from axcore.model.recipients import HttpsTarget, HttpTarget, Target, TrapTarget
from axcore.services import time as time_service
from axcore.services.reader.vapix import VapixClient
from axcore.services.recipients import Acl, DeliveryError, Dispatcher
from axcore.services.recipients.dial import Dialer
from axcore.services.recipients.pack import Packer, event_file, information_file, log_file
from axcore.services.recipients.threads import Threads

if TYPE_CHECKING:
    from axcore.runtime.ledger import Ledger
    from axcore.services.certificates import CertificateStore
    from axcore.services.params import ParamService
    from axcore.services.reader.settings import VapixReader
    from axcore.services.system import SystemService

    from .device import Device
    from .station import Station

LOG_EVENTS = 1000


def make_dispatcher(
    device: Device, system: SystemService, params: ParamService, urls: Callable[[], tuple[str, ...]]
) -> Dispatcher:
    """``urls`` are the addresses at which the device answers now."""

    def find(recipient: str) -> Target | TrapTarget:
        if recipient:
            return device.recipients.recipient(recipient).target
        host = params.text("SNMP.Trap.Address")
        if not host:
            raise DeliveryError("no receiver of SNMP traps is set (parameter SNMP.Trap.Address)")
        return TrapTarget(host=host, port=params.number("SNMP.Trap.Port"), community=params.text("SNMP.Trap.Community"))

    def own_ports() -> Collection[int]:
        return {urlsplit(url).port or 0 for url in urls()}

    def facts() -> dict[str, str]:
        return {"serial": system.serial, "address": own_address(), "hostname": socket.gethostname()}

    def latest(count: int) -> list[Event]:
        return device.ledger.events_after(max(0, device.ledger.last_id - count), count)

    sources = {
        "event": event_file,
        "event_log": log_file(latest, LOG_EVENTS),
        "device_information": information_file(lambda: {"model": device.model.id, **facts()}),
    }
    packer = Packer(facts, lambda: time_service.zone(params.text("Time.TimeZone")), sources)
    return Dispatcher(device.outbox, find, packer, Dialer(Acl(own_ports), Threads()))


def make_client(station: Station, ledger: Ledger, certificates: CertificateStore, dialer: Dialer) -> VapixClient:
    """The client of a door controller on the network, for a station that is its reader."""

    async def exchange(vapix: VapixReader, path: str, document: bytes) -> bytes:
        from axcore.services.recipients.senders import http

        host = f"[{vapix.host}]" if ":" in vapix.host else vapix.host
        url = f"{vapix.scheme}://{host}{'' if vapix.port is None else f':{vapix.port}'}{path}"
        target: HttpTarget | HttpsTarget = HttpTarget(url=url, username=vapix.username, password=vapix.password)
        tls = None
        if vapix.scheme == "https":
            try:
                tls = certificates.context(verify=vapix.verify_certificate, ca=vapix.ca_certificate)
            except NotFoundError as error:
                raise DeliveryError(f"{vapix.ca_certificate} is no installed certificate: {error.reason}") from None
            target = HttpsTarget(
                url=url,
                username=vapix.username,
                password=vapix.password,
                validate_server_certificate=vapix.verify_certificate,
            )
        ask = http.Ask("POST", url, document, {"Content-Type": "application/json"})
        return await http.exchange(target, ask, dialer, tls)

    return VapixClient(station.requests, station.service, ledger.post, exchange)


def own_address() -> str:
    """The address that the device has towards the network; empty without one. Nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return ""

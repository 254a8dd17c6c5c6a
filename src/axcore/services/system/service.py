"""Identity and life of the device.

The serial number is made at the first start and kept: a locally chosen MAC address with the vendor prefix that
discovery looks for. It is the digest realm and the unique id of integrations, and survives a factory default.

Threads: ``load`` is a ledger job; everything else may be called anywhere.
"""

from __future__ import annotations

import os
import platform
import secrets
import sys
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

import axcore

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND: Final = "system"
SERIAL_PREFIX: Final = "B8A44F"
BRAND: Final = "AXIS"
WEB_URL: Final = "http://www.axis.com"
ResetMode = Literal["soft", "hard"]


class ProductInfo(Protocol):
    """What identity needs of a device model (``axcore.devices``)."""

    @property
    def id(self) -> str: ...
    @property
    def prod_nbr(self) -> str: ...
    @property
    def prod_full_name(self) -> str: ...
    @property
    def prod_short_name(self) -> str: ...
    @property
    def prod_type(self) -> str: ...


class Lifecycle(Protocol):
    """What the process does on request; given by the composition of the application. Both return at once."""

    def restart(self) -> None:
        """Stop in order and ask the supervisor for a new start."""

    def factory_default(self, mode: ResetMode) -> None:
        """Stop in order, erase the state (``soft`` keeps network settings, both keep the serial), start again."""


class BasicInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The fourteen properties of basicdeviceinfo."""

    architecture: str
    brand: str
    build_date: str
    hardware_id: str = msgspec.field(name="HardwareID")
    prod_full_name: str
    prod_nbr: str
    prod_short_name: str
    prod_type: str
    prod_variant: str
    serial_number: str
    soc: str
    soc_serial_number: str
    version: str
    web_url: str = msgspec.field(name="WebURL")


class _NoLifecycle:
    def restart(self) -> None:
        raise RuntimeError("no lifecycle is set")

    def factory_default(self, mode: ResetMode) -> None:
        raise RuntimeError("no lifecycle is set")


class SystemService:
    """Identity, readiness and maintenance requests. ``mono_ns`` is the clock's monotonic time."""

    def __init__(self, product: ProductInfo, mono_ns: Callable[[], int], lifecycle: Lifecycle | None = None) -> None:
        self._product = product
        self._mono_ns = mono_ns
        self._started_ns = mono_ns()
        self.lifecycle: Lifecycle = lifecycle or _NoLifecycle()
        self.boot_id = str(uuid.uuid4())
        """Differs for every start."""
        self.ready = False
        """Set by the application when every port is bound and every service runs."""
        self._serial = ""
        self._identity: BasicInfo | None = None

    def load(self, tx: Transaction) -> None:
        """Read the serial number, or make it. Raises what the store raises."""
        stored = tx.get(KIND, "serial")
        if stored is None:
            stored = (SERIAL_PREFIX + secrets.token_hex(3).upper()).encode()
            tx.put(KIND, "serial", stored)
        self._serial = stored.decode()
        self._identity = None

    @property
    def serial(self) -> str:
        """Twelve hex digits, upper case; never digits only."""
        return self._serial

    @property
    def realm(self) -> str:
        """Digest realm of this device."""
        return f"AXIS_{self._serial}"

    @property
    def mac(self) -> str:
        """The serial number as a MAC address with colons."""
        return ":".join(self._serial[i : i + 2] for i in range(0, 12, 2))

    @property
    def uptime(self) -> int:
        """Whole seconds since start, by the monotonic clock."""
        return (self._mono_ns() - self._started_ns) // 1_000_000_000

    @property
    def identity(self) -> BasicInfo:
        """Who the device is. Call after ``load``."""
        if self._identity is None:
            product, machine = self._product, platform.machine()
            self._identity = BasicInfo(
                architecture=machine,
                brand=BRAND,
                build_date=build_date(),
                hardware_id=product.id,
                prod_full_name=product.prod_full_name,
                prod_nbr=product.prod_nbr,
                prod_short_name=product.prod_short_name,
                prod_type=product.prod_type,
                prod_variant="",
                serial_number=self._serial,
                soc=f"Generic {machine}",
                soc_serial_number="",
                version=axcore.__version__,
                web_url=WEB_URL,
            )
        return self._identity

    def request_restart(self) -> None:
        """Ask for a restart; returns before it begins, so that the request can be answered."""
        self.lifecycle.restart()

    def request_factory_default(self, mode: ResetMode) -> None:
        """Ask for a factory default; returns before it begins."""
        self.lifecycle.factory_default(mode)


def build_date() -> str:
    """When this package was built, as ``Jan 31 2026 12:00`` (UTC)."""
    try:
        built = os.stat(sys.modules["axcore.build_info"].__file__ or "").st_mtime
    except (KeyError, OSError):
        built = 0.0
    return time.strftime("%b %d %Y %H:%M", time.gmtime(built))

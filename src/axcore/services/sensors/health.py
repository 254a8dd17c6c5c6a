"""What the computer that the device runs on can feel, read now and then: temperature (hwmon), light (IIO), and room on
the storage.

Threads: ``watch`` on the loop, its reads in a worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axcore.errors import InputError

from .service import SensorService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

PERIOD = 10.0
"""Seconds between two readings."""
LOW_BYTES = 64 << 20
"""Less room than this is told."""
HWMON = Path("/sys/class/hwmon")
IIO = Path("/sys/bus/iio/devices")


def temperature(root: Path = HWMON) -> float | None:
    """The hottest sensor that the system has, degrees Celsius; None without one."""
    found = []
    for path in root.glob("hwmon*/temp*_input"):
        try:
            found.append(int(path.read_text()) / 1000)
        except (OSError, ValueError):
            continue
    return max(found, default=None)


def illuminance(root: Path = IIO) -> float | None:
    """What the first light sensor of the system says, lux (Linux: ABI/testing/sysfs-bus-iio); None without one."""
    for path in sorted(root.glob("iio:device*/in_illuminance*_input")):
        with contextlib.suppress(OSError, ValueError):
            return float(path.read_text())
    for path in sorted(root.glob("iio:device*/in_illuminance*_raw")):
        with contextlib.suppress(OSError, ValueError):
            return float(path.read_text()) * float(path.with_name(path.name[: -len("raw")] + "scale").read_text())
    return None


def storage(path: Path) -> str:
    """``ok``, ``low`` (little room) or ``disrupted`` (cannot be written)."""
    try:
        room = os.statvfs(path)
    except OSError:
        return "disrupted"
    if room.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
        return "disrupted"
    return "low" if room.f_bavail * room.f_frsize < LOW_BYTES else "ok"


def reading(
    sensors: SensorService, data_dir: Path, root: Path = HWMON, light: Path = IIO
) -> Iterable[tuple[str, float | str]]:
    """Name and value of what can be read now."""
    for spec in sensors.specs:
        if spec.kind == "storage":
            yield spec.name, storage(data_dir)
        elif spec.kind == "temperature" and (degrees := temperature(root)) is not None:
            yield spec.name, degrees
        elif spec.kind == "light" and (lux := illuminance(light)) is not None:
            with contextlib.suppress(InputError):  # a driver may say anything
                yield spec.name, sensors.check(spec.name, lux)


async def watch(sensors: SensorService, post: Callable[[Callable[[Transaction], Any]], object], data_dir: Path) -> None:
    """Tell the sensors for ever."""
    while True:
        values = await asyncio.to_thread(lambda: list(reading(sensors, data_dir)))

        def tell(tx: Transaction, values: list[tuple[str, float | str]] = values) -> None:
            for name, value in values:
                sensors.tell(tx, name, value)

        post(tell)
        await asyncio.sleep(PERIOD)

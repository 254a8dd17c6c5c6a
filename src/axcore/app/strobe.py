"""What a strobe siren has besides: light and sound, the control button, the status LED. Composition only.

Imported for models that have a siren: others load nothing of the light and the sound.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from axcore._native.io import LightConfig
from axcore.drivers.board import Board
from axcore.drivers.signal import SignalOutputs, light_config
from axcore.model.config import Config
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.services.events import Performer
from axcore.services.indicators import IndicatorService, StatusLed
from axcore.services.sensors import SensorService
from axcore.services.siren import ProfilePerformer, SirenService
from axcore.services.system import ControlButton


class Strobe:
    """The siren's part of a device. ``reset`` begins a factory default."""

    def __init__(
        self, ledger: Ledger, indicators: IndicatorService, sensors: SensorService, reset: Callable[[], None]
    ) -> None:
        self.service = SirenService(ledger.post)
        self.performer: Performer = ProfilePerformer(self.service)
        self.status = StatusLed(indicators)
        self.button = ControlButton(self.status, reset)
        self.outputs: SignalOutputs | None = None
        self.loaders: tuple[Job[None], ...] = (self.service.load,)
        self.timers: tuple[Any, ...] = (self.service, self.button)
        sensors.subscribe("temperature", lambda tx, degrees, _: self.service.set_temperature(tx, float(degrees)))
        sensors.subscribe("power", lambda tx, poe_class, _: self.service.set_poe_class(tx, int(poe_class)))

    @staticmethod
    def light(config: Config, simulated: bool) -> LightConfig:
        """For the board: frames are made by its I/O thread."""
        return light_config(config.light, simulated=simulated)

    def attach(self, board: Board, config: Config, *, simulated: bool, tap: str | None) -> None:
        """Connect the outputs."""
        self.outputs = SignalOutputs(board, config.sound, simulated=simulated, tap=tap)
        self.service.attach(self.outputs)

    def start(self, data_dir: Path | None) -> None:
        """After the board; with ``data_dir`` what light and sound do can be seen there."""
        assert self.outputs is not None
        self.outputs.start(data_dir)

    def start_up(self, tx: Transaction) -> None:
        """Go on where it was."""
        self.status.starting(tx)
        self.service.start_up(tx)

    def completed(self, tx: Transaction) -> None:
        """Startup is complete."""
        self.status.completed(tx)

    def stop(self) -> None:
        """Silent; it gets dark with the I/O thread."""
        assert self.outputs is not None
        self.outputs.stop()

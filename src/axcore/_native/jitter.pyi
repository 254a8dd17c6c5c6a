"""The jitter buffer. Public face: ``axcore.rtp.JitterBuffer``."""

from typing import Self

from typing_extensions import disjoint_base

PUTS: tuple[str, ...]

@disjoint_base
class Buffer:
    def __new__(
        cls,
        rate: int,
        frame: int,
        slots: int,
        max_payload: int,
        min_delay_ms: int,
        max_delay_ms: int,
        stretch: bool,
        tick_us: int = 0,
    ) -> Self: ...
    def __len__(self) -> int: ...
    def put(
        self,
        ssrc: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now_ns: int,
        payload_type: int = 0,
        marker: bool = False,
    ) -> str: ...
    def get(self, now_ns: int, ahead_ns: int = 0) -> tuple[int, int, int, int, bytes | None, int, int, int, int]: ...
    def reset(self) -> None: ...
    @property
    def target_us(self) -> int: ...
    @property
    def stats(self) -> dict[str, int]: ...

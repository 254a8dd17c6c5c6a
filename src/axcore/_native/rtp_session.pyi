"""RTP sessions and telephone events. Public face: ``axcore.rtp``."""

from typing_extensions import Buffer, disjoint_base

VERDICTS: tuple[str, ...]
STATES: tuple[str, ...]

@disjoint_base
class KeyReceiver:
    def feed(
        self, ssrc: int, timestamp: int, payload: bytes, now_ns: int
    ) -> list[tuple[bool, int, int, int, int, bool, int]]: ...
    def poll(self, now_ns: int) -> list[tuple[bool, int, int, int, int, bool, int]]: ...
    def reset(self) -> None: ...
    @property
    def stats(self) -> dict[str, int]: ...

@disjoint_base
class Session:
    """One stream each way; ``axcore.rtp.Session`` says how it is used."""

    def __init__(
        self,
        seed: int,
        payload_type: int = 0,
        event_type: int = 101,
        rate: int = 8000,
        frame: int = 160,
        rtcp_ms: int = 5000,
        cname: str = "",
        ssrc: int = 0,
        remote: int = 0,
    ) -> None: ...
    @property
    def ssrc(self) -> int: ...
    @property
    def due_ns(self) -> int: ...
    @property
    def report_due_ns(self) -> int: ...
    def state(self, now_ns: int) -> str: ...
    def send(self, payload: Buffer | None, now_ns: int) -> bytes | None: ...
    def press(self, event: int, duration: int, volume: int = 10) -> None: ...
    @property
    def pressing(self) -> bool: ...
    def receive(
        self, data: bytes, now_ns: int, remote: int = 1
    ) -> tuple[str, tuple[int, int, int, int, bool, bytes] | None]: ...
    def report(self, now_ns: int, ntp: int, bye: str | None = None) -> bytes | None: ...
    @property
    def stats(self) -> dict[str, int]: ...

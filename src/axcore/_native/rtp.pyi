"""RTP and RTCP packets. Public face: ``axcore.rtp``."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from typing_extensions import Buffer, disjoint_base

RECORD: tuple[tuple[str, str], ...]
MAX_PACKET: int

@disjoint_base
class Packet:
    """An RTP packet that was received; its parts are cut out when they are asked for."""

    @property
    def raw(self) -> bytes: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def payload_type(self) -> int: ...
    @property
    def marker(self) -> bool: ...
    @property
    def sequence(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def ssrc(self) -> int: ...
    @property
    def padding(self) -> int: ...
    @property
    def csrc(self) -> tuple[int, ...]: ...
    @property
    def extension_profile(self) -> int | None: ...
    @property
    def extension(self) -> bytes | None: ...
    @property
    def elements(self) -> dict[int, bytes]: ...

def parse(data: Buffer) -> Packet: ...
def build(
    payload: Buffer,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: bool = False,
    csrc: Sequence[int] = (),
    elements: Mapping[int, bytes] | None = None,
    extension: Buffer | None = None,
    extension_profile: int = 0,
    padding: int = 0,
) -> bytes: ...

@disjoint_base
class Batch:
    """Many packets, parsed in one call; a buffer of records of 24 bytes (``RECORD``)."""

    def __new__(cls, packets: Iterable[bytes]) -> Self: ...
    @property
    def packets(self) -> list[bytes]: ...
    @property
    def malformed(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: int, /) -> Packet | None: ...
    if sys.version_info >= (3, 12):
        def __buffer__(self, flags: int, /) -> memoryview: ...

def rtcp_parse(data: bytes, reduced: bool = False) -> list[tuple[Any, ...]]: ...
def rtcp_build(
    ssrc: int,
    sender: tuple[int, int, int, int] | None = None,
    reports: Sequence[tuple[int, int, int, int, int, int, int]] = (),
    cname: str | None = None,
    bye: str | None = None,
) -> bytes: ...

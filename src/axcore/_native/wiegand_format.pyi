"""Wiegand card formats: frames to facility code and card number and back. The friendly face is ``axcore.wiegand``.

Positions count from the first bit received. Sources of the layouts: cext/wiegand/ax_wiegand_formats.c.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, final

from typing_extensions import disjoint_base

class _Framed(Protocol):
    @property
    def bits(self) -> int: ...
    @property
    def nbits(self) -> int: ...

@disjoint_base
class Bits:
    """A frame: ``nbits`` bits (1..256), the first one most significant. Immutable.

    ``InputError`` when the value does not fit the length.
    """

    nbits: int
    def __init__(self, value: int | str, nbits: int | None = None) -> None:
        """A text of 0 and 1 (first bit first), or a number with its length."""
    @staticmethod
    def from_hex(text: str, nbits: int | None = None) -> Bits:
        """Right-aligned hexadecimal digits; four bits a digit when no length is given."""
    @staticmethod
    def from_bytes(data: bytes, nbits: int | None = None) -> Bits:
        """Right-aligned big-endian bytes; eight bits a byte when no length is given."""
    @property
    def value(self) -> int: ...
    def hex(self) -> str:
        """Lower-case hex, right-aligned, zero-padded to whole bytes (26 bits: 8 digits)."""
    def slice(self, offset: int, length: int = 0) -> Bits:
        """``length`` bits from ``offset`` (0 = first bit); 0 = all that follow. ``InputError`` beyond the end."""
    def __bytes__(self) -> bytes: ...
    def __len__(self) -> int: ...
    def __int__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Card:
    """What a format reads in a frame. A field is None when the format has no such field."""

    format: Format
    ok: bool
    """Parity, fixed bits and (BCD) digits hold."""
    @property
    def facility(self) -> int | None: ...
    @property
    def card(self) -> int | None: ...
    @property
    def issue(self) -> int | None: ...
    @property
    def oem(self) -> int | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class Format:
    """A card format. Take one from ``FORMATS`` or make one with ``custom``."""

    name: str
    title: str
    bits: int
    def __init__(self, *args: object, **kwargs: object) -> None:
        """Always ``TypeError``."""
    @staticmethod
    def custom(
        name: str,
        bits: int,
        *,
        facility: Sequence[int] = (),
        card: Sequence[int] = (),
        issue: Sequence[int] = (),
        oem: Sequence[int] = (),
        parity: Sequence[tuple[int, bool, Iterable[int]]] = (),
        fixed: Mapping[int, int] | None = None,
    ) -> Format:
        """A format of one's own (1..64 bits): the positions of each field, most significant first; parity rules as
        (position, odd, covered positions), filled in this order; fixed bits by position.

        ``InputError`` names the field.
        """
    def encode(self, facility: int = 0, card: int = 0, issue: int = 0, oem: int | None = None) -> Bits:
        """The frame of a card, parity filled in. ``oem`` None writes ``oem_default``.

        ``InputError`` names a field that is above its limit or not in this format.
        """
    def decode(self, value: Bits | str | _Framed | int, nbits: int | None = None) -> Card:
        """Read a frame (a number needs ``nbits``). ``FormatError`` when it has another length.

        Wrong parity, fixed bits or digits only make ``Card.ok`` False.
        """
    def parse(self, value: Bits | str | _Framed | int, nbits: int | None = None) -> Card:
        """As ``decode``, for those who want an exception: ``ParityError`` when a parity bit does not hold, ``FormatError``
        for another length, wrong fixed bits or digits."""
    def holds(self, value: Bits | str | _Framed | int, nbits: int | None = None) -> bool:
        """Whether length, fixed bits, digits and parity all hold."""
    @property
    def max_facility(self) -> int | None:
        """Largest facility code that ``encode`` takes; None when the format has none."""
    @property
    def max_card(self) -> int | None: ...
    @property
    def max_issue(self) -> int | None: ...
    @property
    def max_oem(self) -> int | None: ...
    @property
    def oem_default(self) -> int | None: ...
    @property
    def encoding(self) -> str:
        """``binary``, or ``bcd`` when the card number is decimal digits."""
    @property
    def confirmed(self) -> bool:
        """False when no public description of the layout was found to check this row against."""
    @property
    def fields(self) -> dict[str, tuple[int, ...]]:
        """Positions of each field, most significant first."""
    @property
    def fixed(self) -> dict[int, int]:
        """Bits that always have the same value, by position."""
    @property
    def parity(self) -> tuple[tuple[int, bool, tuple[int, ...]], ...]:
        """(position, odd, covered positions) of each parity bit, in the order in which they are filled."""

FORMATS: dict[str, Format]
"""The 43 formats in public use, by name, ordered by length."""

def identify(bits: Bits | str | _Framed | int, nbits: int | None = None) -> list[Format]:
    """Every format of ``FORMATS`` whose length, fixed bits, digits and parity hold for this frame.

    Formats without parity hold for every frame of their length.
    """

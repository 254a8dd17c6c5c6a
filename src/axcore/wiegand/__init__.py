"""Wiegand, complete and usable without the runtime: edges to frames, frames to cards, cards and PINs to edges.

    >>> from axcore import wiegand
    >>> frame = wiegand.FORMATS["H10301"].encode(facility=123, card=4567)
    >>> edges = wiegand.schedule(frame)
    >>> decoder = wiegand.Decoder()
    >>> decoder.feed(edges)
    []
    >>> read = decoder.advance(decoder.deadline_ns)
    >>> wiegand.FORMATS["H10301"].decode(read)
    Card(H10301, facility=123, card=4567, ok=True)
    >>> [str(match) for match in wiegand.identify(read)]
    ['H10301', 'ind26']

Bits are never Python objects one by one: a decoder takes any buffer of edge records and gives whole frames. Times are
nanoseconds of a monotonic clock everywhere.
"""

from axcore._native.wiegand_format import FORMATS, Bits, Card, Format, identify
from axcore.wiegand.datasets import ChipReading, DataSet, DataSettings, Selection, select
from axcore.wiegand.decoder import EDGE, FRAME, NEVER, Decoder, Frame, Result, Windows, pack_edges, parse_trace
from axcore.wiegand.keypad import KEYPRESS_FORMATS, Keypress, KeypressFormat, key_of
from axcore.wiegand.output import (
    CardData,
    CustomFormat,
    Field,
    OutputFormat,
    OverrideMode,
    ParityRule,
    Timing,
    schedule,
)

__all__ = [
    "EDGE",
    "FORMATS",
    "FRAME",
    "KEYPRESS_FORMATS",
    "NEVER",
    "Bits",
    "Card",
    "CardData",
    "ChipReading",
    "CustomFormat",
    "DataSet",
    "DataSettings",
    "Decoder",
    "Field",
    "Format",
    "Frame",
    "Keypress",
    "KeypressFormat",
    "OutputFormat",
    "OverrideMode",
    "ParityRule",
    "Result",
    "Selection",
    "Timing",
    "Windows",
    "identify",
    "key_of",
    "pack_edges",
    "parse_trace",
    "schedule",
    "select",
]

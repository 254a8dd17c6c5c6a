"""Audio codecs of SIP calls, best first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import InputError
from axcore.model.accounts import Role
from axcore.model.intercom import CODECS, SipSettings

from .arguments import Args, Methods, NoArgs, in_words, read

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context

RATES: Final = {"PCMU": 8000, "PCMA": 8000, "G722": 16000, "L16": 44100}
"""Samples per second of the sound (that of G.722 in SDP is a known error of RFC 1890: RFC 3551 section 4.5.2)."""


class CodecArgs(Args, frozen=True, kw_only=True):
    """One of them."""

    Name: str
    SampleRate: int | None = None
    Options: str | None = None


class CodecsArgs(Args, frozen=True, kw_only=True):
    """``SetAudioCodecs``."""

    AudioCodec: tuple[CodecArgs, ...]


def told(codecs: Iterable[str]) -> dict[str, Any]:
    """Codecs in the words of the API. None of them has options."""
    return {"AudioCodec": [{"Name": name, "SampleRate": RATES[name]} for name in codecs]}


def taken(wanted: Iterable[CodecArgs]) -> list[str]:
    """Names of the codecs. InputError for a rate or options that a codec does not have; names are checked later."""
    names = []
    for position, codec in enumerate(wanted):
        rate = RATES.get(codec.Name, codec.SampleRate)
        if codec.SampleRate not in (None, rate):
            raise InputError(f"AudioCodec[{position}].SampleRate", f"of {codec.Name} is {rate}")
        if codec.Options:
            raise InputError(f"AudioCodec[{position}].Options", "must be empty: there are none")
        names.append(codec.Name)
    return names


async def get_default(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetDefaultAudioCodecs")
    return told(SipSettings().codecs)


async def get_supported(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetSupportedAudioCodecs")
    return told(CODECS)


async def get(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetAudioCodecs")
    return told(ctx.intercom.accounts.settings.codecs)


async def set_all(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    names = taken(read(args, CodecsArgs, "SetAudioCodecs").AudioCodec)
    with in_words({"codecs": "AudioCodec"}):
        await ctx.ledger.run(lambda tx: ctx.intercom.accounts.set_settings(tx, {"codecs": names}))
    return {}


METHODS: Final[Methods] = {
    "GetDefaultAudioCodecs": (Role.ADMIN, get_default),
    "GetSupportedAudioCodecs": (Role.ADMIN, get_supported),
    "GetAudioCodecs": (Role.ADMIN, get),
    "SetAudioCodecs": (Role.ADMIN, set_all),
}

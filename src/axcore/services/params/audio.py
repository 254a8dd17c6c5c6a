"""Parameters of sound over the network without a call: ``Audio`` and ``AudioSource`` (VAPIX Audio API).

What can be chosen is a setting; what the device fixes (one configuration, one source, one channel, the rates of a
codec) can be read. Who gives sound to clients asks for the settings (``interfaces/http/vapix/audiostream.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from axcore.model.accounts import Role
from axcore.model.audio import ENCODINGS, ConnectionType

from .types import Parameter, Setting, Source

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

ENCODING: Final = "AudioSource.A0.AudioEncoding"
YES_NO: Final = ("yes", "no")


class AudioEnds(Protocol):
    """What is needed of the audio service."""

    inputs: tuple[ConnectionType, ...]
    settings: Any

    def set(self, tx: Transaction, patch: Mapping[str, Any], /) -> object: ...


def audio_settings() -> tuple[Setting, ...]:
    """Of a device that clients can hear and talk by. As delivered, sound is on."""
    duplex, types, write = ("full", "half", "get", "post"), ("singlepart", "multipart"), Role.OPERATOR
    return (
        Setting(name="Audio.DuplexMode", default="full", kind="enum", choices=duplex, write=write),
        Setting(name="Audio.MaxListeners", default="3", kind="int", low=0, high=20, write=write),
        Setting(name="Audio.ReceiverTimeout", default="1000", kind="int", low=0, high=9999, write=write),
        Setting(name="Audio.A0.Enabled", default="yes", kind="bool", choices=YES_NO, write=write),
        Setting(name="Audio.A0.HTTPMessageType", default="singlepart", kind="enum", choices=types, write=write),
        Setting(name="Audio.A0.Name", default="", write=write),
        Setting(name=ENCODING, default="g711", kind="enum", choices=tuple(ENCODINGS), write=write),
        Setting(name="AudioSource.A0.AudioSupport", default="yes", kind="bool", choices=YES_NO),
        Setting(name="AudioSource.A0.Name", default="Audio", write=write),
    )


def two_way_audio(audio: AudioEnds | None, encoding: Callable[[], str]) -> Source:
    """What the network may hear and say, and what of it is fixed. ``encoding``: the value of ``ENCODING``."""
    fixed = {
        "Properties.Audio.DuplexMode": "full,half,post,get",
        "Properties.Audio.Format": "g711,g726,lpcm,g722",
        "Properties.Audio.Decoder.Format": "g711,g726,axis-mulaw-128,lpcm,g722",
        "Properties.Audio.Source.A0.Input": "yes",
        "Audio.NbrOfConfigs": "1",
        "Audio.A0.NbrOfChannels": "1",
        "Audio.A0.Source": "0",
        "AudioSource.NbrOfSources": "1",
        "AudioSource.A0.NbrOfChannels": "1",
    }

    def source() -> Iterable[Parameter]:
        if audio is None:
            return
        yield from (_fixed(name, value) for name, value in fixed.items())
        yield Parameter(name="AudioSource.A0.BitRate", get=lambda: str(ENCODINGS[encoding()].bit_rate))
        yield Parameter(name="AudioSource.A0.SampleRate", get=lambda: str(ENCODINGS[encoding()].sample_rate))
        yield _input_type(audio)

    return source


def _fixed(name: str, value: str) -> Parameter:
    return Parameter(name=name, get=lambda: value)


def _input_type(audio: AudioEnds) -> Parameter:
    def apply(tx: Transaction, value: str) -> None:
        audio.set(tx, {"input": {"type": value}})

    return Parameter(
        name="AudioSource.A0.InputType",
        get=lambda: str(audio.settings.input.type),
        apply=apply,
        write=Role.OPERATOR,
        kind="enum",
        choices=audio.inputs,
    )

"""Where the parameters of a door station come from: identity, network, ports, and the settings kept by the service.

Each function gives a ``Source`` (or settings) for the composition of the application.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from axcore.model.accounts import Role
from axcore.model.clips import MAX_BYTES, MAX_CLIPS, AudioClip
from axcore.model.ports import Port

from .audio import audio_settings
from .types import Group, Parameter, Setting, Source

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Identified(Protocol):
    """What is needed of the system service."""

    @property
    def identity(self) -> Any: ...
    @property
    def mac(self) -> str: ...


class Ports(Protocol):
    """What is needed of the port service."""

    def ports(self) -> tuple[Port, ...]: ...
    def configure(self, tx: Any, port_id: int, patch: dict[str, Any], /) -> Port: ...


class Clips(Protocol):
    """What is needed of the clip service."""

    def clips(self) -> tuple[AudioClip, ...]: ...
    def change(self, tx: Any, number: int, /, *, name: str) -> AudioClip: ...


def _constant(name: str, value: str, read: Role = Role.VIEWER) -> Parameter:
    return Parameter(name=name, get=lambda: value, read=read)


def brand(system: Identified) -> Source:
    """``Brand``: who made the device and what it is called."""

    def source() -> Iterable[Parameter]:
        info = system.identity
        yield _constant("Brand.Brand", info.brand)
        yield _constant("Brand.ProdFullName", info.prod_full_name)
        yield _constant("Brand.ProdNbr", info.prod_nbr)
        yield _constant("Brand.ProdShortName", info.prod_short_name)
        yield _constant("Brand.ProdType", info.prod_type)
        yield _constant("Brand.ProdVariant", info.prod_variant)
        yield _constant("Brand.WebURL", info.web_url)

    return source


def properties(system: Identified) -> Source:
    """``Properties``: what the device supports. Client libraries fail without API, Firmware and System.SerialNumber."""

    def source() -> Iterable[Parameter]:
        info = system.identity
        yield _constant("Properties.API.HTTP.AdminPath", "/")
        yield _constant("Properties.API.HTTP.Version", "3")
        yield _constant("Properties.API.Metadata.Metadata", "yes")
        yield _constant("Properties.API.Metadata.Version", "1.0")
        yield _constant("Properties.API.WebService.EntryService", "yes")
        yield _constant("Properties.Firmware.BuildDate", info.build_date)
        yield _constant("Properties.Firmware.BuildNumber", "1")
        yield _constant("Properties.Firmware.Version", info.version)
        yield _constant("Properties.System.Architecture", info.architecture)
        yield _constant("Properties.System.HardwareID", info.hardware_id)
        yield _constant("Properties.System.Language", "English")
        yield _constant("Properties.System.LanguageType", "default")
        yield _constant("Properties.System.SerialNumber", info.serial_number)
        yield _constant("Properties.System.Soc", info.soc)
        yield _constant("Properties.VirtualInput.VirtualInput", "yes")

    return source


def speaker_test(present: bool) -> Source:
    """``Properties.API.SpeakerTest`` (VAPIX, Auto speaker test service API)."""

    def source() -> Iterable[Parameter]:
        if present:
            yield _constant("Properties.API.SpeakerTest.AutomaticTest", "yes")
            yield _constant("Properties.API.SpeakerTest.Version", "1.0")

    return source


def network(system: Identified, urls: Callable[[], Iterable[str]] = tuple) -> Source:
    """``Network``: names and addresses in use. ``urls`` are the base addresses of the running server."""

    def source() -> Iterable[Parameter]:
        yield _constant("Network.HostName", socket.gethostname(), Role.OPERATOR)
        yield _constant("Network.eth0.MACAddress", system.mac, Role.OPERATOR)
        for url in urls():
            scheme, _, rest = url.partition("://")
            group = scheme.upper()
            yield _constant(f"Network.{group}.Port", rest.rpartition(":")[2], Role.OPERATOR)

    return source


def ioport(ports: Ports) -> Source:
    """``IOPort.I#``, ``Input`` and ``Output``: the ports by their 0-based ids, set through the port service.

    ``Trig`` and ``Active`` name the circuit state that means *active*, the opposite of the normal state.
    """

    def source() -> Iterable[Parameter]:
        inputs = outputs = 0
        for port in ports.ports():
            inputs += port.config.direction == "input"
            outputs += port.config.direction == "output"
            yield from _port(ports, port)
        yield _constant("Input.NbrOfInputs", str(inputs))
        yield _constant("Output.NbrOfOutputs", str(outputs))

    return source


def _port(ports: Ports, port: Port) -> Iterable[Parameter]:
    name, config = f"IOPort.I{port.id}", port.config
    direction = config.direction.capitalize()
    active = "closed" if config.normal_state == "open" else "open"

    def setter(patch: Callable[[str], Mapping[str, str]]) -> Callable[[Transaction, str], None]:
        def apply(tx: Transaction, value: str) -> None:
            ports.configure(tx, port.id, dict(patch(value)))

        return apply

    def opposite(value: str) -> Mapping[str, str]:
        return {"normal_state": "open" if value == "closed" else "closed"}

    yield _constant(f"{name}.Configurable", "yes" if port.configurable else "no")
    yield Parameter(
        name=f"{name}.Direction",
        get=lambda: config.direction,
        apply=setter(lambda value: {"direction": value}) if port.configurable else None,
        write=Role.OPERATOR,
        kind="enum",
        choices=("input", "output"),
    )
    yield Parameter(
        name=f"{name}.Usage",
        get=lambda: config.usage,
        apply=setter(lambda value: {"usage": value}),
        write=Role.OPERATOR,
    )
    yield Parameter(
        name=f"{name}.{direction}.Name",
        get=lambda: config.name,
        apply=setter(lambda value: {"name": value}),
        write=Role.OPERATOR,
    )
    yield Parameter(
        name=f"{name}.{direction}.{'Trig' if direction == 'Input' else 'Active'}",
        get=lambda: active,
        apply=setter(opposite),
        write=Role.OPERATOR,
        kind="enum",
        choices=("open", "closed"),
    )


def media_clips(clips: Clips | None) -> Source:
    """``MediaClip`` and ``Properties.AudioClip``: what can be played, and how (VAPIX Media clip API)."""

    def source() -> Iterable[Parameter]:
        if clips is None:
            return
        yield _constant("Properties.Audio.Audio", "yes")
        yield _constant("Properties.Audio.Source.A0.Output", "yes")
        yield _constant("Properties.AudioClip.Format", "au,mp3,opus,vorbis,wav")
        yield _constant("Properties.AudioClip.PlayOptions", "repeat,volume,location,audiodeviceid,audiooutputid")
        yield _constant("Properties.AudioClip.StopClip", "yes")
        yield _constant("MediaClip.MaxGroups", str(MAX_CLIPS))
        yield _constant("MediaClip.MaxUploadSize", str(MAX_BYTES // 1_000_000))
        for clip in clips.clips():
            yield from _clip(clips, clip)

    return source


def sip(calls: bool) -> Source:
    """``Properties.API.SIP``: whether there is a Call service, and which (VAPIX Call service API)."""

    def source() -> Iterable[Parameter]:
        if calls:
            yield _constant("Properties.API.SIP.SIP", "yes")
            yield _constant("Properties.API.SIP.Version", "2.0")

    return source


def _clip(clips: Clips, clip: AudioClip) -> Iterable[Parameter]:
    name = f"MediaClip.M{clip.id}"

    def rename(tx: Transaction, value: str) -> None:
        clips.change(tx, clip.id, name=value)

    yield Parameter(name=f"{name}.Name", get=lambda: clip.name, apply=rename, write=Role.OPERATOR)
    yield _constant(f"{name}.Location", clip.location)
    yield _constant(f"{name}.Type", "audio")


STREAM_PROFILES = Group(
    template="streamprofile",
    parent="StreamProfile",
    letter="S",
    fields=(("Description", ""), ("Name", ""), ("Parameters", "")),
    limit=26,
)
"""Named sets of stream arguments, kept for the clients that choose among them."""


def settings(check_zone: Callable[[str], object], *, two_way: bool = True) -> tuple[Setting, ...]:
    """The settings that this service keeps; ``check_zone`` raises InputError for an unknown time zone; ``two_way``:
    clients can hear the device and talk by it."""
    guard = "System.PreventDoSAttack"
    return (
        Setting(
            name="Network.HTTP.AuthenticationPolicy",
            default="Recommended",
            kind="enum",
            choices=("Basic", "Digest", "Basic_Digest", "Recommended"),
        ),
        Setting(
            name=f"{guard}.ActivatePasswordThrottling",
            default="on",
            kind="bool",
            choices=("on", "off"),
            read=Role.ADMIN,
        ),
        Setting(name=f"{guard}.DoSBlockingPeriod", default="60", kind="int", low=1, high=86400, read=Role.ADMIN),
        Setting(name=f"{guard}.DoSPageCount", default="10", kind="int", low=1, high=1000, read=Role.ADMIN),
        Setting(name=f"{guard}.DoSPageInterval", default="60", kind="int", low=1, high=3600, read=Role.ADMIN),
        Setting(name=f"{guard}.DoSSiteCount", default="60", kind="int", low=1, high=10000, read=Role.ADMIN),
        Setting(name=f"{guard}.DoSSiteInterval", default="60", kind="int", low=1, high=3600, read=Role.ADMIN),
        *(audio_settings() if two_way else ()),
        Setting(name="AudioSource.A0.TriggerLevel", default="50", kind="int", low=0, high=100, write=Role.OPERATOR),
        Setting(name="SNMP.Trap.Address", default="", read=Role.ADMIN),
        Setting(name="SNMP.Trap.Community", default="public", read=Role.ADMIN),
        Setting(name="SNMP.Trap.Port", default="162", kind="int", low=1, high=65535, read=Role.ADMIN),
        Setting(name="SirenAndLight.Synchronize", default="no", kind="bool", choices=("yes", "no")),
        Setting(name="SirenAndLight.SafeMode", default="yes", kind="bool", choices=("yes", "no")),
        Setting(name="ShockDetection.Enabled", default="yes", kind="bool", choices=("yes", "no"), write=Role.OPERATOR),
        Setting(name="Time.TimeZone", default="UTC", verify=check_zone),
    )

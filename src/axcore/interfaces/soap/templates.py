"""Action templates: which parameters an action has on the wire, and the action that a set of them means.

Where VAPIX documents a template, it is that one; an action without (virtual inputs, light and siren profiles, calls,
traps) has one of ours, ``com.axcore.action.<fixed|unlimited>.<type>``, with the fields of the action as parameters.
``fixed`` runs once, ``unlimited`` while all conditions hold. The parameters of a recipient belong to those of the
action that uses it (``recipients_map``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, get_args
from urllib.parse import quote, unquote

import msgspec

from axcore.errors import InputError
from axcore.model import actions
from axcore.model.actions import Action
from axcore.model.convert import convert

PREFIX: Final = "com.axis.action"
OURS: Final = "com.axcore.action"
MESSAGE: Final = "Message="
MAX_VALUE: Final = 8192
"""Characters of one value."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template. ``field`` of the action holds it; None: it may be given but says nothing here."""

    name: str
    field: str | None = None
    type: str = "string"
    required: bool = True
    read: Callable[[str], Any] = str
    show: Callable[[Any], str] = str


@dataclass(frozen=True)
class Template:
    """A kind of action on the wire."""

    token: str
    kind: type[Any]
    parameters: tuple[Parameter, ...] = ()
    recipient: str = ""
    """Kind of recipient (``http`` ...) whose parameters are given too."""
    fields: Callable[[dict[str, str]], dict[str, Any]] | None = field(default=None)
    """Reads what no single parameter says."""
    texts: Callable[[Any], dict[str, str]] | None = field(default=None)

    @property
    def tag(self) -> str:
        """``type`` of the action."""
        return str(self.kind.__struct_config__.tag)

    def action(self, values: Mapping[str, str], recipient: str = "") -> Action:
        """The action that complete values mean. Raises InputError naming the parameter."""
        found: dict[str, Any] = {"type": self.tag}
        if self.recipient:
            found["recipient"] = recipient
        for parameter in self.parameters:
            if parameter.field is None:
                continue
            value = values.get(parameter.name, "")
            if value == "" and (parameter.type != "string" or not parameter.required):
                continue
            try:
                found[parameter.field] = parameter.read(value)
            except (ValueError, ArithmeticError) as error:
                raise InputError(parameter.name, f"{value[:40]!r} is not {_wanted(parameter, error)}") from None
        if self.fields is not None:
            found |= self.fields(dict(values))
        try:
            action: Action = convert(found, self.kind)
        except InputError as error:
            raise InputError(self._parameter(error.field), error.reason) from None
        return action

    def values(self, action: Any) -> dict[str, str]:
        """The parameters that mean ``action``, without those of its recipient."""
        found = {}
        for parameter in self.parameters:
            value = getattr(action, parameter.field) if parameter.field else None
            found[parameter.name] = "" if value is None else parameter.show(value)
        if self.texts is not None:
            found |= self.texts(action)
        return found

    def _parameter(self, name: str) -> str:
        return next((p.name for p in self.parameters if p.field == name), name)


def _wanted(parameter: Parameter, error: Exception) -> str:
    return str(error) if isinstance(error, _WordError) else f"a value of type {parameter.type}"


class _WordError(ValueError):
    pass


# --- values --------------------------------------------------------------------------------------------------------


def _words(yes: str, no: str) -> tuple[Callable[[str], bool], Callable[[bool], str]]:
    def read(text: str) -> bool:
        word = text.strip().lower()
        if word not in (yes, no, *(("1", "0") if yes == "true" else ())):
            raise _WordError(f"{yes} or {no}")
        return word in (yes, "1")

    return read, lambda value: yes if value else no


def _number(scale: int = 1) -> tuple[Callable[[str], float], Callable[[float], str]]:
    """Decimal text to float and back without loss; on the wire it is ``scale`` times as much."""

    def read(text: str) -> float:
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            raise ValueError(text) from None
        if not value.is_finite() or len(text) > 40 or abs(value.adjusted()) > 30:
            raise ValueError(text)
        return float(value / scale)

    def show(value: float) -> str:
        shown = format(Decimal(repr(float(value))) * scale, "f")
        return shown.rstrip("0").rstrip(".") if "." in shown else shown

    return read, show


def _integer(text: str) -> int:
    if len(text) > 12:
        raise ValueError(text)
    return int(text)


def _flag(name: str, field_name: str, *, required: bool = True) -> Parameter:
    read, show = _words("true", "false")
    return Parameter(name, field_name, "boolean", required, read, show)


def _decimal(name: str, field_name: str, scale: int = 1, *, required: bool = True) -> Parameter:
    read, show = _number(scale)
    return Parameter(name, field_name, "decimal", required, read, show)


def _int(name: str, field_name: str, *, required: bool = True) -> Parameter:
    return Parameter(name, field_name, "int", required, _integer, str)


def _unused(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, required=False) for name in names)


# --- HTTP: message and further arguments make the query; one header is the content type ------------------------------


def _http_fields(values: dict[str, str]) -> dict[str, Any]:
    message, more = values.get("message", ""), values.get("parameters", "")
    query = [MESSAGE + _encoded(message)] if message else []
    found: dict[str, Any] = {"query": "&".join(query + ([more] if more else []))}
    for line in values.get("http_headers", "").replace("\r", "\n").split("\n"):
        name, colon, value = line.partition(":")
        if line.strip() and (not colon or name.strip().lower() != "content-type" or "content_type" in found):
            raise InputError("http_headers", "only one Content-Type header can be set")
        if colon:
            found["content_type"] = value.strip()
    return found


def _http_texts(action: Any) -> dict[str, str]:
    message, more = "", action.query
    if more.startswith(MESSAGE):
        encoded, _, rest = more[len(MESSAGE) :].partition("&")
        if encoded and _encoded(unquote(encoded)) == encoded and (rest or not more.endswith("&")):
            message, more = unquote(encoded), rest
    default = actions.HttpNotification(recipient="").content_type
    headers = "" if action.content_type == default else f"Content-Type: {action.content_type}"
    return {"message": message, "parameters": more, "http_headers": headers}


def _encoded(text: str) -> str:
    """Percent-encoded but for the signs of modifiers."""
    return quote(text, safe="%#")


_HTTP: Final = (
    Parameter("message"),
    Parameter("parameters"),
    Parameter("method", "method", required=False),
    Parameter("http_headers", required=False),
    Parameter("body", "body", required=False),
)
_STATE: Final = Parameter("state", "state", "string", True, *_words("high", "low"))
_PORT: Final = Parameter("port", "port")
_CLIP: Final = (
    Parameter("location", "clip"),
    *_unused("audiooutput", "audiodeviceid", "audiooutputid"),
    _flag("tocall", "to_call", required=False),
)
_VOLUME: Final = _int("volume", "volume", required=False)
_LED: Final = (Parameter("led", "led"), Parameter("color", "color"), _decimal("interval", "interval", 1000))
_FILES: Final = (
    Parameter("source", "source"),
    Parameter("create_folder", "folder"),
    Parameter("filename", "name"),
)
_MQTT: Final = (
    Parameter("topic", "topic"),
    _int("qos", "qos"),
    _flag("retained", "retain"),
    Parameter("payload", "payload"),
    _flag("device_prefix", "device_prefix", required=False),
)
FILE_RECIPIENTS: Final = ("ftp", "sftp", "http", "https", "networkshare", "smtp")


def _documented() -> tuple[Template, ...]:
    fixed, unlimited = f"{PREFIX}.fixed", f"{PREFIX}.unlimited"
    return (
        Template(f"{fixed}.io.toggle", actions.ToggleIoOnce, (_PORT, _STATE, _decimal("duration", "duration"))),
        Template(f"{unlimited}.io.toggle", actions.ToggleIoWhileActive, (_PORT, _STATE)),
        Template(f"{fixed}.ledcontrol", actions.LedOnce, (*_LED, _decimal("duration", "duration"))),
        Template(f"{unlimited}.ledcontrol", actions.LedWhileActive, _LED),
        Template(
            f"{fixed}.play.audioclip", actions.PlayClip, (*_CLIP, _int("repeat", "repeat", required=False), _VOLUME)
        ),
        Template(f"{unlimited}.play.audioclip", actions.PlayClipWhileActive, (*_CLIP, *_unused("repeat"), _VOLUME)),
        Template(f"{fixed}.stop.audioclip", actions.StopClip),
        Template(f"{fixed}.autospeakertest.performtest", actions.RunSpeakerTest),
        *(
            Template(f"{fixed}.notification.{kind}", actions.HttpNotification, _HTTP, kind, _http_fields, _http_texts)
            for kind in ("http", "https")
        ),
        Template(
            f"{fixed}.notification.smtp",
            actions.EmailNotification,
            (Parameter("subject", "subject"), Parameter("message", "body")),
            "smtp",
        ),
        Template(f"{fixed}.notification.tcp", actions.TcpNotification, (Parameter("message", "message"),), "tcp"),
        Template(
            f"{unlimited}.notification.tcp",
            actions.TcpNotificationWhileActive,
            (Parameter("message", "message"), _decimal("period", "interval")),
            "tcp",
        ),
        Template(f"{fixed}.mqttpublish", actions.MqttPublish, _MQTT),
        *(Template(f"{fixed}.send_files.{kind}", actions.SendFiles, _FILES, kind) for kind in FILE_RECIPIENTS),
    )


def _plain(kind: type[Any]) -> Template:
    """A template of ours: the fields of the action as they are."""
    length = "unlimited" if kind.while_active else "fixed"
    tag = kind.__struct_config__.tag.removesuffix("_while_active").removesuffix("_once")
    parameters = []
    for item in msgspec.structs.fields(kind):
        required = item.required
        if item.type is bool:
            parameters.append(_flag(item.name, item.name, required=required))
        elif item.type is int:
            parameters.append(_int(item.name, item.name, required=required))
        elif item.type is str:
            parameters.append(Parameter(item.name, item.name, required=required))
        else:
            parameters.append(_decimal(item.name, item.name, required=required))
    return Template(f"{OURS}.{length}.{tag}", kind, tuple(parameters))


def _templates() -> tuple[Template, ...]:
    documented = _documented()
    known = {template.kind for template in documented}
    return (*documented, *(_plain(kind) for kind in get_args(Action) if kind not in known))


TEMPLATES: Final = _templates()
_BY_TOKEN: Final = {template.token: template for template in TEMPLATES}


def by_token(token: str) -> Template | None:
    """The template of a token."""
    return _BY_TOKEN.get(token)


def of_action(action: Action, recipient: str = "") -> Template:
    """The template that an action is shown as; ``recipient`` is the kind of its recipient, if that is known."""
    fit = [template for template in TEMPLATES if template.kind is type(action)]
    return next((template for template in fit if template.recipient == recipient), fit[0])


def offered(types: Iterable[str], recipients: Iterable[str]) -> list[Template]:
    """The templates of the actions and recipients that a device has."""
    kinds, to = set(types), set(recipients)
    return [item for item in TEMPLATES if item.tag in kinds and (not item.recipient or item.recipient in to)]

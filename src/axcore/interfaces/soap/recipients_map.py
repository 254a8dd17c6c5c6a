"""Recipients on the wire: the parameters of each kind, and the fields of a recipient that they mean.

The one module that knows the shape of the recipients of ``ctx.recipients``. Secrets go in and never come out: a
password reads as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from axcore.errors import InputError
from axcore.model.convert import convert
from axcore.model.recipients import MAX_NAME, Recipient, RecipientSpec

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

PREFIX: Final = "com.axis.recipient."
BY_ID: Final = "recipient"
"""A parameter of ours: the id of a recipient that is there; those of the recipient are then not looked at."""
Shape = Literal["text", "number", "flag", "none"]


class Store(Protocol):
    """What is needed of the recipient service."""

    def recipients(self) -> tuple[Recipient, ...]: ...
    def add(self, tx: Transaction, spec: RecipientSpec) -> Recipient: ...
    def remove(self, tx: Transaction, recipient_id: str) -> None: ...


@dataclass(frozen=True)
class Field:
    """A parameter and the dotted path of what it sets; ``none``: accepted, says nothing here."""

    name: str
    path: str = ""
    shape: Shape = "text"
    secret: bool = False
    required: bool = True


def _login(*more: Field) -> tuple[Field, ...]:
    return (Field("login", "username"), Field("password", "password", secret=True), *more)


_QOS: Final = Field("qos", shape="none")
_VALIDATE: Final = Field("validate_server_cert", "validate_server_certificate", "flag")
_PROXY: Final = (
    Field("proxy_host", "proxy.host"),
    Field("proxy_port", "proxy.port", "number"),
    Field("proxy_login", "proxy.username"),
    Field("proxy_password", "proxy.password", secret=True),
)
_SERVER: Final = (Field("host", "host"), Field("upload_path", "folder"), Field("port", "port", "number"))
_TEMPORARY: Final = Field("temporary", "use_temporary_file_name", "flag")

KINDS: Final[dict[str, tuple[Field, ...]]] = {
    "http": (Field("upload_url", "url"), *_login(), *_PROXY, _QOS),
    "https": (Field("upload_url", "url"), *_login(), *_PROXY, _QOS, _VALIDATE),
    "ftp": (*_SERVER, *_login(Field("passive", "passive", "flag"), _TEMPORARY, _QOS)),
    "sftp": (
        *_SERVER,
        *_login(
            Field("ssh_host_pub_key_md5", "host_key_md5"),
            Field("ssh_host_pub_key_sha256", "host_key_sha256", required=False),
            Field("ssh_auth_type", shape="none", required=False),
            Field("temporary", "use_temporary_file_name", "flag", required=False),
            _QOS,
        ),
    ),
    "smtp": (
        Field("email_to", "send_to"),
        Field("email_from", "send_from"),
        Field("host", "host"),
        Field("port", "port", "number"),
        *_login(),
        Field("pop_host", "pop_host"),
        Field("pop_port", shape="none"),  # 110, with the login of the mail server
        Field("pop_login", shape="none"),
        Field("pop_password", shape="none", secret=True),
        _QOS,
        Field("encryption", "encryption"),
        _VALIDATE,
    ),
    "tcp": (Field("host", "host"), Field("port", "port", "number"), _QOS),
    "networkshare": (
        Field("upload_path", "folder"),
        Field("share_id", "share"),
        Field("host", "host", required=False),
        Field("login", "username", required=False),
        Field("password", "password", secret=True, required=False),
        _QOS,
    ),
}


def offered(store: Store | None) -> tuple[str, ...]:
    """The kinds that the device has."""
    return tuple(KINDS) if store is not None else ()


def kind_of(recipient: Any) -> str:
    """Kind of a recipient."""
    return str(type(recipient.target).__struct_config__.tag)


def spec(kind: str, name: str, values: Mapping[str, str]) -> RecipientSpec:
    """What the parameters ask for. Raises InputError naming the parameter."""
    return convert({"name": name, "target": fields(kind, values)}, RecipientSpec)


def parameter_of(kind: str, field: str) -> str:
    """The parameter that sets a field of a recipient (``target.url``); the field itself if there is none."""
    path = field.removeprefix("target.")
    return next((item.name for item in KINDS[kind] if item.path and item.path == path), path)


def fields(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The members of a target. Raises InputError naming the parameter."""
    found: dict[str, Any] = {"type": kind}
    for item in KINDS[kind]:
        value = values.get(item.name, "").strip() if not item.secret else values.get(item.name, "")
        if value == "" or item.shape == "none":
            continue
        place, _, last = item.path.rpartition(".")
        (found.setdefault(place, {}) if place else found)[last] = _read(item, value)
    return found


def _read(item: Field, value: str) -> Any:
    if item.shape == "flag":
        if value not in ("0", "1"):
            raise InputError(item.name, "must be 0 or 1")
        return value == "1"
    if item.shape == "number":
        if not (value.isascii() and value.isdigit() and len(value) < 6):
            raise InputError(item.name, "must be a number 0..65535")
        return int(value)
    return value


def values(recipient: Any) -> dict[str, str]:
    """The parameters of a recipient; secrets are empty."""
    plain = msgspec.to_builtins(recipient.target)
    found = {}
    for item in KINDS[kind_of(recipient)]:
        at: Any = plain
        for part in item.path.split(".") if item.path and not item.secret else ():
            at = at.get(part) if isinstance(at, dict) else None
        shown = at if item.path and not item.secret else None
        found[item.name] = "" if shown is None else str(int(shown)) if isinstance(shown, bool) else str(shown)
    return found


def find(store: Store, recipient_id: str) -> Any:
    """A recipient by its id; None if there is none."""
    return next((item for item in store.recipients() if item.id == recipient_id), None)


def chosen(store: Store, tx: Transaction, kind: str, name: str, given: Mapping[str, str]) -> str:
    """Id of the recipient that an action's parameters name: one that is there, or one like it, or else a new one.

    Raises InputError (a parameter), LimitError (there are as many recipients as there can be).
    """
    wanted = given.get(BY_ID, "").strip()
    if wanted:
        found = find(store, wanted)
        if found is None or kind_of(found) != kind:
            raise InputError(BY_ID, f"there is no {kind} recipient {wanted[:40]!r}")
        return str(found.id)
    names = {str(item.name) for item in store.recipients()}
    for item in store.recipients():
        if kind_of(item) == kind and spec(kind, item.name, given).target == item.target:
            return item.id
    name = name[:MAX_NAME]  # that of the action may be longer; it is looked at where it belongs
    free = next(text for text in (name, *(f"{name[:58]} {n}" for n in range(2, 100))) if text not in names)
    return store.add(tx, spec(kind, free, given)).id

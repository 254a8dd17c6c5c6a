"""Recipients on the wire: the parameters of each kind, and the fields of a recipient that they mean.

The one module that knows the shape of the recipients of ``ctx.recipients``: ``recipients()`` gives structs with ``id``,
``name`` and a tag, ``spec(fields)`` makes what ``add(tx, spec)`` takes, ``remove(tx, id)`` forgets one. Secrets go in
and never come out: a password reads as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from axcore.errors import InputError

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

PREFIX: Final = "com.axis.recipient."
BY_ID: Final = "recipient"
"""A parameter of ours: the id of a recipient that is there; those of the recipient are then not looked at."""
Shape = Literal["text", "number", "flag", "none"]


class Store(Protocol):
    """What is needed of the recipient service."""

    def recipients(self) -> tuple[Any, ...]: ...
    def spec(self, fields: Mapping[str, Any]) -> Any: ...
    def add(self, tx: Transaction, spec: Any) -> Any: ...
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
_VALIDATE: Final = Field("validate_server_cert", "validate_certificate", "flag")
_PROXY: Final = (
    Field("proxy_host", "proxy.host"),
    Field("proxy_port", "proxy.port", "number"),
    Field("proxy_login", "proxy.username"),
    Field("proxy_password", "proxy.password", secret=True),
)
_SERVER: Final = (Field("host", "host"), Field("upload_path", "folder"), Field("port", "port", "number"))
_TEMPORARY: Final = Field("temporary", "temporary_name", "flag")

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
            Field("temporary", "temporary_name", "flag", required=False),
            _QOS,
        ),
    ),
    "smtp": (
        Field("email_to", "to"),
        Field("email_from", "sender"),
        Field("host", "host"),
        Field("port", "port", "number"),
        *_login(),
        Field("pop_host", "pop.host"),
        Field("pop_port", "pop.port", "number"),
        Field("pop_login", "pop.username"),
        Field("pop_password", "pop.password", secret=True),
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
    return str(type(recipient).__struct_config__.tag)


def fields(kind: str, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The members of a recipient. Raises InputError naming the parameter."""
    found: dict[str, Any] = {"type": kind, "name": name}
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
    plain = msgspec.to_builtins(recipient)
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
        if kind_of(item) == kind and _same(store.spec(fields(kind, item.name, given)), item):
            return str(item.id)
    free = next(text for text in (name, *(f"{name[:58]} {n}" for n in range(2, 100))) if text not in names)
    return str(store.add(tx, store.spec(fields(kind, free, given))).id)


def _same(spec: Any, recipient: Any) -> bool:
    one, other = msgspec.to_builtins(spec), msgspec.to_builtins(recipient)
    return all(other.get(key) == value for key, value in one.items() if key != "id")

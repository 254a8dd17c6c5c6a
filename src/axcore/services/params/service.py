"""The parameter tree (VAPIX parameter management; manual: System > Plain config).

Every parameter has an owner: this service keeps ``Setting`` values and groups added by users; everything else is
shown by its ``Source`` and set through it. Values are text on the wire; the type is checked before anything changes,
and an update of several values is one ledger job: all or nothing.

Threads: methods with ``tx`` are ledger jobs; everything else reads an immutable snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.accounts import Role
from axcore.services.stored import changed

from .types import Group, ParamError, Parameter, Setting, Source, check_value

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND: Final = "param"
GROUP_KIND: Final = "paramgroup"
_PATTERN = re.compile(r"[A-Za-z0-9_.*-]{1,256}", re.ASCII)


class ParamService:
    """Owns settings and added groups; shows and sets those of all ``sources``. ``load`` comes first."""

    def __init__(
        self, settings: Iterable[Setting], sources: Iterable[Source] = (), groups: Iterable[Group] = ()
    ) -> None:
        self._settings = {setting.name: setting for setting in settings}
        self._sources = tuple(sources)
        self._groups = tuple(groups)
        self._values: Mapping[str, str] = MappingProxyType({})
        self._added: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    def load(self, tx: Transaction) -> None:
        """Read the stored values. A value that is not valid any more (older release) is replaced by its default."""
        values = {}
        for name, raw in tx.items(KIND):
            setting = self._settings.get(name)
            if setting is not None:
                try:
                    values[name] = _check_setting(setting, raw.decode("utf-8", "replace"))
                except InputError:
                    continue
        self._values = MappingProxyType(values)
        self._added = MappingProxyType(_read_groups(tx))

    # --- values for their users --------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """The value of a setting. Raises KeyError for a name that is not a setting."""
        value = self._values.get(name)
        return self._settings[name].default if value is None else value

    def number(self, name: str) -> int:
        """The value of an ``int`` setting."""
        return int(self.text(name))

    def flag(self, name: str) -> bool:
        """The value of a ``bool`` setting."""
        return self.text(name) == self._settings[name].choices[0]

    # --- reading -----------------------------------------------------------------------------------------------------

    def parameters(self) -> dict[str, Parameter]:
        """All parameters by name, sorted."""
        found: dict[str, Parameter] = {}
        for setting in self._settings.values():
            found[setting.name] = self._of_setting(setting)
        for source in self._sources:
            for parameter in source():
                found[parameter.name] = parameter
        for group in self._groups:
            found |= self._of_group(group)
        return dict(sorted(found.items(), key=lambda item: _natural(item[0])))

    def list(self, groups: Iterable[str] = (), role: Role = Role.ADMIN) -> list[tuple[str, str]]:
        """Names and values that ``role`` may read, of all parameters or of ``groups``.

        A group is a full name, a group of names, or has ``*`` for any run of characters; ``root.`` in front is
        optional. Raises NotFoundError naming the first group with nothing in it.
        """
        readable = [parameter for parameter in self.parameters().values() if parameter.read <= role]
        wanted = list(groups)
        if not wanted:
            return [(parameter.name, parameter.get()) for parameter in readable]
        chosen: dict[str, Parameter] = {}
        for group in wanted:
            matches = _matcher(group)
            hits = [parameter for parameter in readable if matches.fullmatch(parameter.name)]
            if not hits:
                raise NotFoundError(group[:256], "there is no such parameter or group")
            chosen |= {parameter.name: parameter for parameter in hits}
        return [(parameter.name, parameter.get()) for parameter in chosen.values()]

    # --- jobs --------------------------------------------------------------------------------------------------------

    def update(self, tx: Transaction, changes: Mapping[str, str], *, role: Role = Role.ADMIN) -> None:
        """Set all of ``changes`` or nothing. Raises ParamError for the first one that is refused."""
        known = self.parameters()
        checked: list[tuple[Parameter, str, str]] = []
        for given, value in changes.items():
            name = given.removeprefix("root.")
            parameter = known.get(name)
            if parameter is None or parameter.read > role:
                raise ParamError(given, value, "there is no such parameter")
            if parameter.apply is None or parameter.write > role:
                raise ParamError(given, value, "this parameter cannot be set")
            try:
                checked.append((parameter, parameter.check(value), given))
            except InputError as error:
                raise ParamError(given, value, error.reason) from None
        for parameter, value, given in checked:
            assert parameter.apply is not None
            try:
                parameter.apply(tx, value)
            except InputError as error:
                raise ParamError(given, changes[given], error.reason) from None
            _tell(tx, parameter.name, "update")

    def add(
        self,
        tx: Transaction,
        template: str,
        parent: str,
        values: Mapping[str, str],
        *,
        role: Role = Role.ADMIN,
    ) -> str:
        """Add a group; gives back its last name part (``S3``). ``values`` has names of fields, without the group.

        Raises InputError (template, group, field), LimitError.
        """
        parent = parent.removeprefix("root.")
        group = next((group for group in self._groups if group.template == template and group.parent == parent), None)
        if group is None or group.write > role:
            raise InputError("template", "there is no such template for this group")
        fields = dict(group.fields)
        for name, value in values.items():
            if name not in fields:
                raise InputError(name[:256], f"the template {template} has no such field")
            fields[name] = check_value(name, "string", value)
        known = _read_groups(tx)
        taken = {name for name in known if name.startswith(f"{parent}.")}
        if len(taken) >= group.limit:
            raise LimitError("group", f"there are {group.limit} of these, which is the maximum")
        leaf = next(leaf for n in range(group.limit) if f"{parent}.{(leaf := group.letter + str(n))}" not in taken)
        name = f"{parent}.{leaf}"
        tx.put(GROUP_KIND, name, msgspec.json.encode(fields))
        _tell(tx, name, "add")
        self._show_groups(tx)
        return leaf

    def remove(self, tx: Transaction, names: Iterable[str], *, role: Role = Role.ADMIN) -> None:
        """Remove added groups, all or nothing. Raises NotFoundError, InputError (not a group that was added)."""
        for given in names:
            name = given.removeprefix("root.")
            group = next((group for group in self._groups if name.startswith(f"{group.parent}.")), None)
            if group is None or group.write > role:
                raise InputError(given[:256], "this group cannot be removed")
            if tx.get(GROUP_KIND, name) is None:
                raise NotFoundError(given[:256], "there is no such group")
            tx.delete(GROUP_KIND, name)
            _tell(tx, name, "remove")
        self._show_groups(tx)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _of_setting(self, setting: Setting) -> Parameter:
        def apply(tx: Transaction, value: str) -> None:
            value = _check_setting(setting, value)
            tx.put(KIND, setting.name, value.encode())

            def show() -> None:
                self._values = MappingProxyType({**self._values, setting.name: value})

            tx.after_commit(show)

        return Parameter(
            name=setting.name,
            get=lambda: self.text(setting.name),
            apply=apply,
            read=setting.read,
            write=setting.write,
            kind=setting.kind,
            choices=setting.choices,
            low=setting.low,
            high=setting.high,
        )

    def _of_group(self, group: Group) -> dict[str, Parameter]:
        limit = str(group.limit)
        top = Parameter(name=f"{group.parent}.MaxGroups", get=lambda: limit, read=group.read, kind="int")
        found = {top.name: top}
        for name, fields in self._added.items():
            if name.startswith(f"{group.parent}."):
                for field in fields:
                    parameter = self._of_field(group, name, field)
                    found[parameter.name] = parameter
        return found

    def _of_field(self, group: Group, name: str, field: str) -> Parameter:
        def apply(tx: Transaction, value: str) -> None:
            raw = tx.get(GROUP_KIND, name)
            if raw is None:
                raise NotFoundError(name, "there is no such group")
            fields = msgspec.json.decode(raw, type=dict[str, str]) | {field: value}
            tx.put(GROUP_KIND, name, msgspec.json.encode(fields))
            self._show_groups(tx)

        return Parameter(
            name=f"{name}.{field}",
            get=lambda: self._added.get(name, {}).get(field, ""),
            apply=apply,
            read=group.read,
            write=group.write,
        )

    def _show_groups(self, tx: Transaction) -> None:
        added = MappingProxyType(_read_groups(tx))

        def show() -> None:
            self._added = added

        tx.after_commit(show)


def _check_setting(setting: Setting, value: str) -> str:
    checked = check_value(
        setting.name, setting.kind, value, choices=setting.choices, low=setting.low, high=setting.high
    )
    if setting.verify is not None:
        setting.verify(checked)
    return checked


def _read_groups(tx: Transaction) -> dict[str, Mapping[str, str]]:
    return {name: msgspec.json.decode(raw, type=dict[str, str]) for name, raw in tx.items(GROUP_KIND)}


def _matcher(group: str) -> re.Pattern[str]:
    name = group.removeprefix("root.")
    if group == "root":
        name = "*"
    if not _PATTERN.fullmatch(name):
        raise NotFoundError(group[:256], "there is no such parameter or group")
    while "**" in name:
        name = name.replace("**", "*")
    if name.count("*") > 8:
        raise NotFoundError(group[:256], "too many wildcards")
    exact = translate(name)
    return re.compile(f"(?:{exact})|(?:{translate(name + '.*')})")


def _natural(name: str) -> tuple[tuple[str, int, str], ...]:
    """Sort key with numbers by value: I2 before I10."""
    parts = re.findall(r"([A-Za-z_]*)([0-9]*)([^A-Za-z0-9_]*)", name)
    return tuple((word.lower(), int(digits or -1), rest) for word, digits, rest in parts)


def _tell(tx: Transaction, name: str, action: str) -> None:
    tx.publish(changed("param", name, action, tx.actor))

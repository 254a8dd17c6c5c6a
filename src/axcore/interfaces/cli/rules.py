"""``axcore rules``: the rules of a device, why they are active or not, what they would have done, what is odd.

``list``, ``explain`` and whatever is not given as a file come from the running device over REST, which needs a login
(``--login NAME``; the password is prompted for, or read from ``--login-password-file``). ``check --rules FILE`` and
``simulate --rules FILE LOG`` need no device: FILE is a JSON list of rules (or what ``rules list --json`` printed), LOG
has one event a line (what ``axcore events --json`` printed, or one document a line).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axcore.interfaces.cli.account import read_password
from axcore.interfaces.cli.client import RULES, Client
from axcore.interfaces.cli.output import CliError, add_json, colour, print_json, table
from axcore.interfaces.cli.paths import add_data_dir, find_running

if TYPE_CHECKING:
    from axcore.model.rules import Rule
    from axcore.rules import Recorded
    from axcore.services.events import ConditionType

API = RULES.rpartition("/")[0]
DEFAULT_MODEL = "a8207-ve-mk2"
RULES_HINT = "`axcore rules list --json` prints rules as they must be"
LOG_HINT = "`axcore events --json` prints events as they must be"
LONG = 60
_ACTIONS = {
    "list": "list the rules",
    "explain": "tell why a rule is active or not",
    "simulate": "tell what rules would have done with a log of events",
    "check": "warn of rules that cannot act, that set each other off, or that pull one output two ways",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """list, explain, simulate, check."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text.capitalize() + ".", allow_abbrev=False)
        if name == "explain":
            action.add_argument("id", help="id of the rule, as `axcore rules list` shows it")
        if name == "simulate":
            action.add_argument("log", nargs="?", metavar="LOG", help="events, one a line; - is standard input")
            action.add_argument("--after", type=int, default=0, metavar="ID", help="of the device's log: after this id")
            action.add_argument("-n", "--count", type=int, default=30_000, help="of the device's log: so many events")
        if name in {"simulate", "check"}:
            action.add_argument("--rules", metavar="FILE", help="rules as JSON instead of those of the device")
            action.add_argument("--model", default=DEFAULT_MODEL, help=f"what --rules are for ({DEFAULT_MODEL})")
        action.add_argument("--login", metavar="NAME", help="an operator or admin of the device")
        action.add_argument("--login-password-file", metavar="FILE", help="read the password here")
        add_data_dir(action)
        add_json(action)


def run(args: argparse.Namespace) -> int:
    """0; 1 when ``check`` has warnings."""
    match args.action:
        case "list":
            return _list(args)
        case "explain":
            return _explain(args)
        case "simulate":
            return _simulate(args)
        case _:
            return _check(args)


# --- verbs


def _list(args: argparse.Namespace) -> int:
    rules = _client(args).rest("GET", RULES)
    if args.json:
        print_json(rules)
    elif not rules:
        print("there are no rules yet")
    else:
        rows = [[r["id"], r["name"], "on" if r["enabled"] else "off", *_words(r)] for r in rules]
        print(table(["id", "name", "state", "when", "then"], rows))
    return 0


def _explain(args: argparse.Namespace) -> int:
    from axcore.interfaces.cli.client import HttpError

    if not args.id.isdigit():
        raise CliError(f"{args.id!r} is not the id of a rule", "axcore rules list shows the ids", 2)
    try:
        found = _client(args).rest("GET", f"{RULES}/{args.id}/explain")
    except HttpError as error:
        if error.status != 404:
            raise
        raise CliError(f"there is no rule {args.id}", "axcore rules list shows the rules") from None
    if args.json:
        print_json(found)
        return 0
    state = "active" if found["active"] else "on" if found["enabled"] else "off"
    print(f"rule {found['id']} ({found['name']}): {state}\n{found['summary']}")
    if found["wait_left"]:
        print(f"the wait between actions goes on for {found['wait_left']:g} s")
    rows = [
        [str(c["index"] + 1), c["role"], "yes" if c["holds"] else "no", c["wanted"], c["reason"]]
        for c in found["conditions"]
    ]
    if rows:
        print(f"\n{table(['', 'role', 'holds', 'wanted', 'why'], rows)}")
    return 0


def _simulate(args: argparse.Namespace) -> int:
    if args.log is None:
        asked: dict[str, Any] = {"after": args.after, "limit": args.count}
        if args.rules is not None:
            asked["rules"] = [_without_id(rule) for rule in _documents(args.rules)]
        found = _client(args).rest("POST", f"{API}/simulate", asked)
        return _show_fired(args, found["events"], found["fired"])
    log = _log(args.log)
    if args.rules is None:
        client = _client(args)
        documents, kinds = client.rest("GET", RULES), _types(client)
    else:
        documents, kinds = _documents(args.rules), _known(args.model)
    from axcore.rules import Kind, replay

    for event in log:
        kinds.setdefault(event.topic, Kind(event.is_property))
    rules = _rules(documents, args.rules or "the device", kinds)
    names = {rule.id: rule.name for rule in rules}
    fired = [
        {
            "rule": step.rule, "name": names[step.rule], "what": step.what, "time": step.time, "t_ns": step.t_ns,
            "event": step.event, "event_id": None if step.event is None else log[step.event].id or None,
        }
        for step in replay([rule for rule in rules if rule.enabled], log, kinds)
    ]  # fmt: skip
    return _show_fired(args, len(log), fired)


def _show_fired(args: argparse.Namespace, events: int, fired: list[dict[str, Any]]) -> int:
    if args.json:
        print_json({"events": events, "fired": fired})
        return 0
    rows = []
    for step in fired:
        cause = "wait over" if step["event"] is None else f"event {step['event_id'] or '#' + str(step['event'])}"
        rows.append([step["time"] or f"{step['t_ns'] / 1e9:.3f} s", step["rule"], step["name"], step["what"], cause])
    if rows:
        print(table(["time", "rule", "name", "what", "because of"], rows))
    print(f"{len(fired)} activations and ends in {events} events" if rows else f"nothing fires in {events} events")
    return 0


def _check(args: argparse.Namespace) -> int:
    if args.rules is None:
        warnings = _client(args).rest("GET", f"{API}/check")
    else:
        import msgspec

        from axcore.rules import check

        kinds = _known(args.model)
        warnings = msgspec.to_builtins(check(_rules(_documents(args.rules), args.rules, kinds), kinds))
    if args.json:
        print_json(warnings)
    for warning in [] if args.json else warnings:
        print(f"{colour(warning['kind'], '33')}: rule {', '.join(warning['rules'])}: {warning['text']}")
    if not args.json and not warnings:
        print("nothing odd found")
    return 1 if warnings else 0


# --- what is needed


def _client(args: argparse.Namespace) -> Client:
    _, running = find_running(args.data_dir)
    if not running.https:
        raise CliError("the device has no HTTPS", "rules are not read over plain HTTP")
    if args.login is None:
        hint = "say who you are: --login NAME (the password is prompted for)"
        raise CliError("an operator or admin must do this", hint, 2)
    client = Client.of(running, timeout=60.0)
    client.login(args.login, read_password(args.login_password_file, f"password of {args.login}"))
    return client


def _words(rule: dict[str, Any]) -> tuple[str, str]:
    conditions = []
    for one in rule["conditions"]:
        topic = one["topic"].rpartition("tnsaxis:")[2]
        items = ",".join(f"{name}={value}" for part in ("source", "data") for name, value in one.get(part, {}).items())
        conditions.append(("not " if one.get("invert") else "") + topic + (f"[{items}]" if items else ""))
    action = dict(rule["action"])
    kind = str(action.pop("type")).replace("_", " ")
    details = ", ".join(f"{name} {value}" for name, value in action.items())
    return _short(" and ".join(conditions)), _short(f"{kind} ({details})" if details else kind)


def _short(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 3] + "..."


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{file}: {getattr(error, 'strerror', None) or error}", "", 2) from error


def _documents(file: str) -> list[dict[str, Any]]:
    """Rules of a file."""
    try:
        found = json.loads(_read(file))
    except ValueError as error:
        raise CliError(
            f"{file}: not JSON: {error}", "`axcore rules list --json` prints rules as they must be", 2
        ) from None
    if not isinstance(found, list) or not all(isinstance(rule, dict) for rule in found):
        raise CliError(f"{file}: must be a list of rules", RULES_HINT, 2)
    return found


def _without_id(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name != "id"}


def _rules(documents: list[dict[str, Any]], file: str, kinds: dict[str, Any]) -> list[Rule]:
    from axcore.errors import InputError
    from axcore.model.convert import convert
    from axcore.model.rules import Rule
    from axcore.rules import define

    found: dict[str, Rule] = {}
    for number, document in enumerate(documents):
        where = f"rules[{number}]"
        try:
            rule = convert({"id": str(number + 1), **document}, Rule, where)
            define(rule, kinds)
        except InputError as error:
            field = error.field if error.field.startswith(where) else f"{where}.{error.field}"
            raise CliError(f"{file}: {field}: {error.reason}", "correct that member of the rule", 2) from None
        if rule.id in found:
            raise CliError(f"{file}: {where}: two rules have the id {rule.id}", "give each its own, or none any", 2)
        found[rule.id] = rule
    return list(found.values())


def _log(file: str) -> list[Recorded]:
    """Events of a file, one document a line, or lists of them."""
    import msgspec

    from axcore.rules import Recorded

    found: list[Recorded] = []
    decoder = msgspec.json.Decoder(Recorded | list[Recorded])
    for number, line in enumerate(_read(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = decoder.decode(line.encode())
        except msgspec.DecodeError as error:
            raise CliError(
                f"{file}:{number}: {error}", "`axcore events --json` prints events as they must be", 2
            ) from None
        found += one if isinstance(one, list) else [one]
    return found


def _known(model_id: str) -> dict[str, Any]:
    """The conditions of a device model."""
    from axcore.devices import model
    from axcore.services.events.catalogue import condition_types
    from axcore.services.schedules.conditions import conditions

    return {kind.topic: kind for kind in (*condition_types(model(model_id)), *conditions(()))}


def _types(client: Client) -> dict[str, Any]:
    """The conditions of a running device."""
    import msgspec

    from axcore.services.events import ConditionType

    found: list[ConditionType] = msgspec.convert(client.rest("GET", f"{API}/conditions"), list[ConditionType])
    return {kind.topic: kind for kind in found}

"""``axcore account``: accounts of a running device, over its public HTTPS interface (pwdgrp.cgi).

The first admin needs no login: a device without accounts lets it be created. Afterwards ``--login NAME`` names the
admin who does it. Passwords are prompted for, or read from a file (``--password-file``, ``--login-password-file``;
``-`` is standard input): never from the command line, where other users of the machine could read them.
"""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from pathlib import Path

from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.output import CliError, add_json, print_json, table
from axcore.interfaces.cli.paths import add_data_dir, find_running

PWDGRP = "/axis-cgi/pwdgrp.cgi"
GROUPS = {"viewer": "viewer", "operator": "operator:viewer", "admin": "admin:operator:viewer"}


def configure(parser: argparse.ArgumentParser) -> None:
    """add, list, remove, passwd."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("add", "add an account"),
        ("list", "list the accounts"),
        ("remove", "remove an account"),
        ("passwd", "change a password"),
    ):
        action = actions.add_parser(name, help=text, description=text.capitalize() + ".", allow_abbrev=False)
        if name != "list":
            action.add_argument("name", help="name of the account")
        if name == "add":
            action.add_argument("--role", choices=list(GROUPS), default="viewer", help="default: viewer")
            action.add_argument("--ptz", action="store_true", help="may control pan, tilt and zoom")
            action.add_argument("--comment", default="")
        if name in {"add", "passwd"}:
            action.add_argument("--password-file", metavar="FILE", help="read the new password here")
        action.add_argument("--login", metavar="NAME", help="the admin who does it")
        action.add_argument("--login-password-file", metavar="FILE", help="read the admin's password here")
        add_data_dir(action)
        add_json(action)


def run(args: argparse.Namespace) -> int:
    """Do it and tell what the device said."""
    client = _client(args)
    if args.action == "list":
        return _list(args, client)
    fields = {"action": {"add": "add", "remove": "remove", "passwd": "update"}[args.action], "user": args.name}
    if args.action == "add":
        groups = GROUPS[args.role] + (":ptz" if args.ptz or args.role == "admin" else "")
        fields |= {"grp": "root" if args.role == "admin" else "users", "sgrp": groups, "comment": args.comment}
    if args.action in {"add", "passwd"}:
        fields["pwd"] = read_password(args.password_file, f"new password of {args.name}", twice=True)
    said = _text(client.text("POST", PWDGRP, fields))
    if said.startswith("Error"):
        raise CliError(said.removeprefix("Error:").strip(), "axcore account list shows the accounts")
    if args.json:
        print_json({"message": said})
    else:
        print(said)
    return 0


def _list(args: argparse.Namespace, client: Client) -> int:
    lines = _text(client.text("GET", PWDGRP, {"action": "get"})).splitlines()
    groups = {key: [n for n in names.split(",") if n] for key, names in (m for m in map(_group, lines) if m)}
    roles = ["admin", "operator", "viewer"]
    names = sorted({name for role in roles for name in groups.get(role, [])})
    accounts = [
        {
            "name": name,
            "role": next(role for role in roles if name in groups.get(role, [])),
            "ptz": name in groups.get("ptz", []),
        }
        for name in names
    ]
    if args.json:
        print_json(accounts)
    else:
        print(table(["name", "role", "ptz"], [[a["name"], a["role"], "yes" if a["ptz"] else "no"] for a in accounts]))
    return 0


def _group(line: str) -> tuple[str, str] | None:
    found = re.fullmatch(r'(\w+)="?([^"]*)"?', line.strip())
    return (found[1], found[2]) if found else None


def _client(args: argparse.Namespace) -> Client:
    _, running = find_running(args.data_dir)
    if not running.https:
        raise CliError("the device has no HTTPS", "accounts are not changed over plain HTTP")
    client = Client.of(running)
    if client.ajr("systemready", "systemready", {"timeout": 0}).get("needsetup") == "yes":
        if args.action != "add":
            raise CliError("the device has no account yet", "axcore account add admin --role admin")
        if args.role != "admin":
            raise CliError("the first account must be an admin", f"axcore account add {args.name} --role admin")
        return client
    if args.login is None:
        raise CliError("an admin must do this", "say who you are: --login NAME (the password is prompted for)", 2)
    client.login(args.login, read_password(args.login_password_file, f"password of {args.login}"))
    return client


def read_password(file: str | None, prompt: str, twice: bool = False) -> str:
    """A password from a file (``-``: standard input) or the terminal. CliError."""
    if file == "-":
        return sys.stdin.readline().rstrip("\n")
    if file is not None:
        try:
            return Path(file).read_text(encoding="utf-8").partition("\n")[0]
        except OSError as error:
            raise CliError(f"{file}: {error.strerror}", code=2) from error
    if not sys.stdin.isatty():
        raise CliError(f"{prompt}: no terminal to ask on", "give --password-file FILE (- for standard input)", 2)
    first = getpass.getpass(f"{prompt}: ")
    if twice and getpass.getpass("once more: ") != first:
        raise CliError("the two passwords differ", "nothing was changed; try again")
    return first


def _text(reply: str) -> str:
    body = re.search(r"<body[^>]*>(.*?)</body>", reply, re.IGNORECASE | re.DOTALL)
    return re.sub(r"<[^>]*>", "", body[1] if body else reply).strip()

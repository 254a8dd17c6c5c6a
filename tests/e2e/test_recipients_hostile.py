"""Recipients: values that would change a message, redirects that lead elsewhere, a network share of a real server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from recipient_peers import Peers, Site, server_context

from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.testing.ports import free_port
from tests.e2e.patience import PATIENCE


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers = Peers()
    yield peers
    peers.close()


@pytest.fixture
def site(started: Instance) -> Site:
    return Site(started)


def answering(peers: Peers, status: int, context: ssl.SSLContext | None = None, **headers: str) -> int:
    """A web server with one answer for all."""

    async def handle(request: web.Request) -> web.Response:
        peers.got.append({"path": request.path_qs, "login": "Authorization" in request.headers})
        return web.Response(status=status, headers=headers)

    return peers.web(handle, context)


def test_a_name_adds_nothing_to_a_command(site: Site, peers: Peers) -> None:
    """What stands in for a modifier comes from outside (here a rule's name) and ends no argument and no string."""
    name = 'Bob&door=1 "},{"x":"'
    port = peers.http()
    site.add("web", type="http", url=f"http://127.0.0.1:{port}/a")
    condition = {"topic": "tns1:Device/tnsaxis:IO/VirtualInput", "source": {"port": "1"}}
    action = {"type": "http_notification", "recipient": "web", "method": "POST", "query": "who=#r&at=#t",
              "content_type": "application/json", "body": '{"who":"#r"}'}  # fmt: skip
    site.client.rest("POST", "/config/rest/rules/v1/rules", {"name": name, "conditions": [condition], "action": action})
    site.fire(1)
    got = peers.wait(method="POST")
    assert json.loads(got["body"]) == {"who": name}
    assert got["path"].split("?")[1].count("=") == 2
    assert "%26door%3D1" in got["path"]


def test_redirects_take_no_login_along_and_do_not_lead_into_the_device(site: Site, peers: Peers) -> None:
    thief = answering(peers, 401, **{"WWW-Authenticate": 'Basic realm="x"'})
    first = answering(peers, 307, Location=f"http://localhost:{thief}/steal")
    common = {"type": "http", "username": "u", "password": "secret"}
    assert "401" in site.test(**common, url=f"http://127.0.0.1:{first}/")["reason"]
    assert [each["login"] for each in peers.got if each["path"] == "/steal"] == [False]
    own = site.device.running.http
    inward = answering(peers, 302, Location=f"{own}/axis-cgi/restart.cgi")
    assert "device itself" in site.test(**common, url=f"http://127.0.0.1:{inward}/")["reason"]
    circle = answering(peers, 302, Location="/again")
    assert "circles" in site.test(**common, url=f"http://127.0.0.1:{circle}/")["reason"]


def test_https_is_not_left_by_a_redirect(site: Site, peers: Peers, tmp_path: Path) -> None:
    plain = peers.http()
    there = answering(peers, 302, server_context(tmp_path), Location=f"http://127.0.0.1:{plain}/")
    url = f"https://127.0.0.1:{there}/"
    told = site.test(type="https", url=url, validate_server_certificate=False)
    assert "from HTTPS" in told["reason"]
    assert not [each for each in peers.got if each.get("body") is not None]


def test_a_post_that_may_have_been_taken_is_not_sent_again(site: Site, peers: Peers) -> None:
    port = peers.http(status=500)
    site.add("web", type="http", url=f"http://127.0.0.1:{port}/a")
    site.rule(1, type="http_notification", recipient="web", method="POST", body="x")
    site.fire(1)
    wait_for("the failure", site.failures, PATIENCE)
    assert "500" in site.failures()[0]
    assert len(peers.got) == 1


@pytest.fixture
def share(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A Samba server with a share ``door`` for root, password ``p``; needs to be root."""
    smbd = shutil.which("smbd", path="/usr/sbin:/usr/bin")
    if smbd is None or os.getuid() != 0:
        pytest.skip("needs samba, and to be root")
    port = free_port()
    home, files = tmp_path / "samba", tmp_path / "files"
    for folder in (home, files / "in"):
        folder.mkdir(parents=True)
    places = ("private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir")
    lines = [f"{place} = {home}" for place in places]
    (home / "smb.conf").write_text(
        "[global]\nserver role = standalone\nload printers = no\ndisable spoolss = yes\ninterfaces = 127.0.0.1\n"
        f"bind interfaces only = yes\nsmb ports = {port}\nlog file = {home}/log\npassdb backend = tdbsam:{home}/p.tdb\n"
        + "\n".join(lines)
        + f"\n[door]\npath = {files}\nread only = no\n"
    )
    conf = ["-s", str(home / "smb.conf")]
    subprocess.run(
        ["pdbedit", *conf, "-a", "-u", "root", "-t"], input="p\np\n", text=True, check=True, capture_output=True
    )
    # It ends by a signal to its whole process group: let that be one of its own.
    arguments = [smbd, *conf, "-F", "--no-process-group"]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_for("the share", listens, PATIENCE)
    yield port, files
    server.terminate()
    server.wait(PATIENCE)


def test_a_network_share(site: Site, share: tuple[int, Path]) -> None:
    port, files = share
    common = {"type": "networkshare", "host": "127.0.0.1", "port": port, "share": "door", "folder": "in",
              "username": "root", "password": "p"}  # fmt: skip
    assert site.test(**common) == {"delivered": True, "reason": ""}
    assert not list((files / "in").iterdir())
    assert "password" in site.test(**{**common, "password": "x"})["reason"]
    assert not site.test(**{**common, "share": "window"})["delivered"]
    site.add("share", **common)
    site.rule(1, type="send_files", recipient="share", source="event_log", folder="a/b", name="log")
    site.fire(1)
    (log,) = wait_for("a file", lambda: list(files.glob("in/a/b/log_*.jsonl")), PATIENCE)
    wait_for("its name", lambda: not list(files.rglob("*.part")), PATIENCE)
    assert json.loads(log.read_text().splitlines()[0])["topic"]

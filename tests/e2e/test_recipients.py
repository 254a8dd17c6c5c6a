"""Recipients with real peers on loopback: HTTP(S), proxy, TCP, email, FTP, SFTP, SNMP; and black holes."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from recipient_peers import RECIPIENTS, Peers, Site, server_context

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events
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


def test_http_get_post_and_put_with_modifiers_and_both_logins(site: Site, peers: Peers) -> None:
    open_, digest, basic = peers.http(), peers.http(login="digest"), peers.http(login="basic")
    plain = site.add("plain", type="http", url=f"http://127.0.0.1:{open_}/notify?a=1")
    safe = site.add("digest", type="http", url=f"http://127.0.0.1:{digest}/d", username="u", password="p")
    old = site.add("basic", type="http", url=f"http://127.0.0.1:{basic}/b", username="u", password="p")
    site.rule(1, type="http_notification", recipient=plain, query="schemaversion=1&port=#{port}")
    site.rule(2, type="http_notification", recipient=safe, method="POST", body="#r at %Y: #t")
    site.rule(3, type="http_notification", recipient="basic", method="PUT", body='{"on": "#{active}"}')
    for port in (1, 2, 3):
        site.fire(port)
    assert peers.wait(path="/notify?a=1&schemaversion=1&port=1")["method"] == "GET"
    post = peers.wait(path="/d")
    assert (post["method"], post["login"]) == ("POST", "Digest")
    assert post["body"].startswith("rule 2 at 2")
    assert post["body"].endswith(events.IO_VIRTUAL_INPUT)
    put = peers.wait(path="/b")
    assert (put["method"], put["login"], put["body"]) == ("PUT", "Basic", '{"on": "1"}')
    assert old != safe
    assert not site.failures()


def test_what_is_shown_has_no_password_and_an_update_keeps_it(site: Site, peers: Peers) -> None:
    port = peers.http(login="digest")
    key = site.add("r", type="http", url=f"http://127.0.0.1:{port}/1", username="u", password="canary-7431")
    shown = json.dumps(site.client.rest("GET", RECIPIENTS))
    assert "canary" not in shown
    assert '"password_set": true' in shown
    site.client.rest("PATCH", f"{RECIPIENTS}/{key}", {"target": {"url": f"http://127.0.0.1:{port}/2"}})
    assert site.client.rest("POST", f"{RECIPIENTS}/{key}/test", {}) == {"delivered": True, "reason": ""}
    assert peers.wait(path="/2")["login"] == "Digest"
    copied = site.client.rest("POST", f"{RECIPIENTS}/{key}/copy", {})
    assert copied["name"] == "r (copy)"
    assert site.client.rest("POST", f"{RECIPIENTS}/{copied['id']}/test", {})["delivered"]


def test_https_certificates_are_checked_unless_told_otherwise(site: Site, peers: Peers, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{peers.http(context=server_context(tmp_path))}/s"
    refused = site.test(type="https", url=url)
    assert not refused["delivered"]
    assert "certificate" in refused["reason"]
    assert site.test(type="https", url=url, validate_server_certificate=False)["delivered"]


def test_a_proxy_is_passed(site: Site, peers: Peers) -> None:
    port = peers.http()
    assert site.test(type="http", url="http://192.0.2.7/through", proxy={"host": "127.0.0.1", "port": port})[
        "delivered"
    ]
    assert peers.wait(path="/through") or peers.wait(path="http://192.0.2.7/through")


def test_tcp_once_and_while_active(site: Site, peers: Peers) -> None:
    key = site.add("t", type="tcp", host="127.0.0.1", port=peers.tcp())
    site.rule(1, type="tcp_notification", recipient=key, message="hello #{port}\n")
    site.rule(2, type="tcp_notification_while_active", recipient=key, message="still", interval=0.1)
    site.fire(1)
    assert peers.wait(tcp="hello 1\n")
    site.fire(2)
    wait_for("three of them", lambda: sum(each.get("tcp") == "still" for each in peers.got) >= 3, PATIENCE)
    site.fire(2, False)


def test_email_with_a_file(site: Site, peers: Peers) -> None:
    from aiosmtpd.controller import Controller

    mails: list[Any] = []

    class Sink:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            mails.append(envelope)
            return "250 OK"

    port = free_port()
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        target = {"type": "smtp", "send_to": "a@example.com, b@example.com", "send_from": "door@example.com",
                  "host": "127.0.0.1", "port": port, "encryption": "none"}  # fmt: skip
        key = site.add("mail", **target)
        site.rule(1, type="email_notification", recipient=key, subject="#r\r\nBcc: x@example.com", body="Body %F")
        site.rule(2, type="send_files", recipient=key, source="event", name="event #{port}")
        site.fire(1)
        site.fire(2)
        wait_for("two mails", lambda: len(mails) == 2, PATIENCE)
    finally:
        controller.stop()
    text, attached = sorted((mail.content.decode() for mail in mails), key=len)
    assert mails[0].rcpt_tos == ["a@example.com", "b@example.com"]
    assert "\r\nBcc:" not in text
    assert 'filename="event 2_' in attached


@pytest.mark.filterwarnings("ignore:The asyn(core|chat) module is deprecated:DeprecationWarning")
def test_ftp_passive_and_active_with_a_temporary_name(site: Site, tmp_path: Path) -> None:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

    (tmp_path / "in").mkdir()
    renamed: list[str] = []
    users = DummyAuthorizer()
    users.add_user("u", "p", str(tmp_path), perm="elradfmw")

    class Handler(FTPHandler):
        authorizer = users

        def ftp_RNTO(self, path: str) -> Any:  # noqa: N802
            renamed.append(path)
            return super().ftp_RNTO(path)

    server = ThreadedFTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.1}, daemon=True)
    thread.start()
    port = server.address[1]
    try:
        common = {"type": "ftp", "host": "127.0.0.1", "port": port, "username": "u", "password": "p", "folder": "in"}
        assert site.test(**common) == {"delivered": True, "reason": ""}
        assert not site.test(**{**common, "folder": "nowhere"})["delivered"]
        assert not site.test(**{**common, "password": "x"})["delivered"]
        site.add("passive", **common, use_temporary_file_name=True)
        site.add("active", **common, passive=False)
        site.rule(1, type="send_files", recipient="passive", source="event_log", folder="%Y/log", name="log")
        site.rule(2, type="send_files", recipient="active", source="device_information", name="../info")
        site.fire(1)
        site.fire(2)
        wait_for("two files", lambda: len([p for p in tmp_path.rglob("*.json*") if p.suffix != ".part"]) == 2, PATIENCE)
        (log,) = (tmp_path / "in").glob("*/log/log_*.jsonl")
        assert json.loads(log.read_text().splitlines()[0])["topic"]
        assert len(renamed) == 1
        (info,) = (tmp_path / "in").glob("*info*.json")
        assert json.loads(info.read_text())["serial"]
    finally:
        server.close_all()
        thread.join()
    assert not site.failures()


def test_sftp_refuses_another_key(site: Site, peers: Peers, tmp_path: Path) -> None:
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519")

    class Server(asyncssh.SSHServer):
        def begin_auth(self, _username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("u", "p")

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[key], server_factory=Server,
            sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(tmp_path)),
        )  # fmt: skip

    listener = peers.run(start())
    sha, md5 = key.get_fingerprint("sha256").partition(":")[2], key.get_fingerprint("md5").partition(":")[2]
    common = {"type": "sftp", "host": "127.0.0.1", "port": listener.get_port(), "username": "u", "password": "p"}
    assert site.test(**common, host_key_sha256=sha) == {"delivered": True, "reason": ""}
    assert site.test(**common, host_key_md5=md5.replace(":", ""))["delivered"]
    other = hashlib.sha256(b"other").digest()
    wrong = site.test(**common, host_key_sha256=base64.b64encode(other).decode().rstrip("="))
    assert not wrong["delivered"]
    assert sha in wrong["reason"]
    assert "password" in site.test(**{**common, "password": "x"}, host_key_sha256=sha)["reason"]
    site.add("s", **common, host_key_sha256=sha, use_temporary_file_name=True)
    site.rule(1, type="send_files", recipient="s", source="event", folder="a/b", name="e")
    site.fire(1)
    wait_for("a file", lambda: list(tmp_path.glob("a/b/e_*.json")), PATIENCE)
    assert not list(tmp_path.rglob("*.part"))
    peers.loop.call_soon_threadsafe(listener.close)


def test_an_snmp_trap(site: Site) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        port = receiver.getsockname()[1]
        site.rule(1, type="snmp_trap", message="input #{port} is active")
        site.fire(1)
        wait_for("the failure", lambda: any("SNMP.Trap.Address" in reason for reason in site.failures()), PATIENCE)
        site.client.text("GET", f"/axis-cgi/param.cgi?action=update&SNMP.Trap.Address=127.0.0.1&SNMP.Trap.Port={port}")
        site.fire(1, False)
        site.fire(1)
        datagram = receiver.recv(4096)
    assert datagram[:2] == bytes([0x30, len(datagram) - 2])
    assert b"public" in datagram
    assert b"input 1 is active" in datagram


def test_the_device_itself_is_out_of_reach(site: Site, peers: Peers) -> None:
    for name in ("http", "https"):
        port = int(getattr(site.device.running, name).rpartition(":")[2])
        for host in ("127.0.0.1", "localhost", "127.9.9.9", "[::ffff:127.0.0.1]", "0.0.0.0"):
            said = site.test(type=name, url=f"{name}://{host}:{port}/axis-cgi/systemready.cgi")
            assert not said["delivered"], host
            assert "this device itself" in said["reason"], said
    for url in ("http://169.254.169.254/latest", "http://[::ffff:169.254.169.254]/"):
        assert "metadata" in site.test(type="http", url=url)["reason"]

    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{site.device.running.http}/axis-cgi/systemready.cgi")

    said = site.test(type="http", url=f"http://127.0.0.1:{peers.web(redirect)}/")
    assert not said["delivered"]
    assert "this device itself" in said["reason"]


def test_black_holes_delay_nobody(site: Site, peers: Peers) -> None:
    """Nineteen recipients that take a connection and never answer; the twentieth is told at once."""
    holes = socket.socket()
    holes.bind(("127.0.0.1", 0))
    holes.listen(64)
    for number in range(19):
        site.add(f"hole {number}", type="http", url=f"http://127.0.0.1:{holes.getsockname()[1]}/{number}")
    last = site.add("well", type="tcp", host="127.0.0.1", port=peers.tcp())
    with pytest.raises(net.HttpError, match="409"):
        site.add("one too many", type="tcp", host="127.0.0.1", port=1)
    for number in range(19):
        site.rule(1, type="http_notification", recipient=f"hole {number}")
    site.rule(1, type="tcp_notification", recipient=last, message="well")
    threads = len(list(Path(f"/proc/{site.device.pid}/task").iterdir()))
    for _ in range(20):
        site.fire(1)
        site.fire(1, False)
    wait_for("twenty of them", lambda: sum(each.get("tcp") == "well" for each in peers.got) == 20, 30.0)
    assert len(list(Path(f"/proc/{site.device.pid}/task").iterdir())) <= threads + 8
    holes.close()

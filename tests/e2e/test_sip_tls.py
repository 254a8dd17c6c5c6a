"""SIP over TLS on loopback: versions, certificates of both sides, SIPS; the peers are Python's ssl and each other."""

from __future__ import annotations

import contextlib
import datetime
import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from axcore.app.device import Device
from axcore.model.config import Config, NetworkConfig
from axcore.model.intercom import SipAccountSpec
from axcore.model.voice import Connected, Ended, Incoming, Progress, Refused, Registration, TlsSettings, TlsVersion
from axcore.testing.media import RtpMedia
from axcore.testing.phone import Phone
from axcore.testing.sip_peer import SipPeer

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

WAIT = 120.0
OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
NEW = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def device() -> str:
    """PEM of a device: certificate and key."""
    return made_for("device")


@pytest.fixture(scope="module")
def other() -> str:
    """PEM of somebody."""
    return made_for("other")


def made_for(name: str) -> str:
    """A certificate for ``localhost`` that says nothing about what it is for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def public(pem: str) -> str:
    """The certificate alone."""
    start = pem.index("-----BEGIN CERTIFICATE")
    return pem[start : pem.index("-----END CERTIFICATE") + 26]


def context(
    version: ssl.TLSVersion, *, pem: str = "", server: bool = False, folder: Path | None = None
) -> ssl.SSLContext:
    """One version only, however old, and no verification."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    if not server:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
    if pem:
        assert folder is not None
        (folder / "pem").write_text(pem)
        made.load_cert_chain(folder / "pem")
    return made


def shake_hands(port: int, made: ssl.SSLContext) -> str:
    """The version that was agreed on, once an OPTIONS was answered over it."""
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain, made.wrap_socket(plain) as secure:
        secure.sendall(
            b"OPTIONS sip:device@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n"
            b"Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:device@127.0.0.1>\r\nCall-ID: 1\r\n"
            b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        assert secure.recv(65536).startswith(b"SIP/2.0 200")
        return secure.version() or ""


def refuses(peer: SipPeer) -> None:
    """Serve until a handshake has failed; no request may come."""
    end = time.monotonic() + WAIT
    while not peer.refused:
        assert time.monotonic() < end
        with pytest.raises(TimeoutError):
            peer.wait("", 0.2)


class Server:
    """A device that is called by TLS."""

    def __init__(self, tls: TlsSettings) -> None:
        self.phone = Phone("device", configure={"tls": tls}, transport="tls", encryption="mandatory")

    def __enter__(self) -> Server:
        self.phone.__enter__()
        assert self.phone.ready is not None
        self.port = self.phone.ready.tls_port
        return self

    def __exit__(self, *error: Any) -> None:
        self.phone.__exit__(*error)


class TestVersions:
    def test_what_the_build_can_do_is_read(self, device: str) -> None:
        with Server(TlsSettings(certificate=device)) as server:
            ready = server.phone.ready
            assert ready is not None
            assert ready.tls == ssl.OPENSSL_VERSION
            assert ready.stack_tls.startswith("OpenSSL")
            assert ssl.HAS_TLSv1_3

    def test_1_2_and_1_3_are_spoken_and_older_ones_are_refused(self, device: str) -> None:
        with Server(TlsSettings(certificate=device)) as server:
            for version, name in zip(NEW, ("TLSv1.2", "TLSv1.3"), strict=True):
                assert shake_hands(server.port, context(version)) == name
            for version in OLD:
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    shake_hands(server.port, context(version))

    @pytest.mark.parametrize(("chosen", "refused"), [("1.2", NEW[1]), ("1.3", NEW[0])])
    def test_tls_version_selects_the_version(self, device: str, chosen: TlsVersion, refused: ssl.TLSVersion) -> None:
        with Server(TlsSettings(certificate=device, version=chosen)) as server:
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                shake_hands(server.port, context(refused))
            assert shake_hands(server.port, context(next(one for one in NEW if one is not refused))) == f"TLSv{chosen}"

    @pytest.mark.parametrize(("version", "name"), list(zip((*OLD, *NEW), ("", "", "TLSv1.2", "TLSv1.3"), strict=True)))
    def test_as_a_client(self, other: str, tmp_path: Path, version: ssl.TLSVersion, name: str) -> None:
        server = context(version, pem=other, server=True, folder=tmp_path)
        with SipPeer(tls=server) as peer, Phone("ada", transport="tls", tls=TlsSettings()) as ada:
            ada.call(f"sip:bob@{peer.address}")
            if not name:
                refuses(peer)
                assert ada.wait(Ended, WAIT).code == 503
                return
            invite = peer.wait("INVITE", WAIT)
            assert isinstance(invite.back, ssl.SSLSocket)
            assert invite.back.version() == name


class TestCertificates:
    @pytest.fixture
    def peer(self, other: str, tmp_path: Path) -> Iterator[SipPeer]:
        with SipPeer(tls=context(NEW[1], pem=other, server=True, folder=tmp_path)) as found:
            yield found

    def registration(
        self, peer: SipPeer, tls: TlsSettings, host: str = "127.0.0.1", **more: str | bool
    ) -> Registration:
        account: dict[str, str | bool] = {"uri": f"<sip:ada@{host}>", "registrar": f"sip:{host}:{peer.port}"}
        account |= {"username": "ada", **more}
        with Phone("ada", transport="tls", tls=tls, **account) as ada:
            if tls.verify and not (tls.ca and host == "localhost"):
                for _ in range(50):
                    if not ada.reports.empty():
                        break
                    with pytest.raises(TimeoutError):
                        peer.wait("REGISTER", 0.2)
            else:
                request = peer.wait("REGISTER", WAIT)
                assert request.start == f"REGISTER sip:{host}:{peer.port};transport=tls SIP/2.0"
                peer.reply(request, 200, "OK", [f"Contact: {request['Contact']};expires=300"])
            return ada.wait(Registration, WAIT)

    def test_verify_server_certificate_refuses_one_that_nobody_vouches_for(self, peer: SipPeer) -> None:
        report = self.registration(peer, TlsSettings(verify=True))
        assert (report.active, report.code) == (False, 503)
        assert "self" in report.reason

    @pytest.mark.parametrize("sips", [False, True])
    def test_whatever_the_id_of_the_account_looks_like(self, peer: SipPeer, sips: bool) -> None:
        report = self.registration(peer, TlsSettings(verify=True), id="pbx-s", sips=sips)
        assert (report.active, report.code) == (False, 503)
        assert "self" in report.reason

    def test_without_it_any_will_do(self, peer: SipPeer) -> None:
        assert self.registration(peer, TlsSettings()).active

    def test_one_that_is_known_and_has_the_right_name(self, peer: SipPeer, other: str) -> None:
        assert self.registration(peer, TlsSettings(verify=True, ca=public(other)), "localhost").active

    def test_one_that_is_known_and_has_another_name(self, peer: SipPeer, other: str) -> None:
        report = self.registration(peer, TlsSettings(verify=True, ca=public(other)))
        assert (report.active, report.code) == (False, 503)
        assert "127.0.0.1" in report.reason

    def test_one_of_somebody_else(self, peer: SipPeer, device: str) -> None:
        account = {"uri": "<sip:ada@localhost>", "registrar": f"sip:localhost:{peer.port}"}
        wrong = TlsSettings(verify=True, ca=public(device))
        with Phone("ada", transport="tls", tls=wrong, **account) as ada:  # type: ignore[arg-type]
            refuses(peer)
            assert ada.wait(Registration, WAIT).code == 503

    def test_the_client_shows_its_certificate_and_the_server_verifies_it(self, device: str, other: str) -> None:
        strict = TlsSettings(certificate=device, verify=True, ca=public(other))
        with Server(strict) as server:
            with Phone("ada", transport="tls", encryption="mandatory", tls=TlsSettings(certificate=other)) as ada:
                ada.call(f"sip:device@127.0.0.1:{server.port}")
                server.phone.wait(Incoming, WAIT)
            for wrong in ("", device):
                with Phone("eve", transport="tls", tls=TlsSettings(certificate=wrong)) as eve:
                    eve.call(f"sip:device@127.0.0.1:{server.port}")
                    assert eve.wait(Ended, 60.0).code == 503

    def test_a_certificate_that_is_none_stops_no_other_call(self) -> None:
        nonsense = TlsSettings(certificate="nonsense")
        with Phone("ada", configure={"tls": nonsense}) as ada, Phone("bob") as bob:
            assert ada.ready is not None
            assert ada.ready.tls_port == 0
            bob.call(ada.uri)
            ada.wait(Incoming, WAIT)


class TestCalls:
    def test_a_call_both_ways_and_its_end(self, device: str) -> None:
        with Server(TlsSettings(certificate=device)) as server:
            bob, secure = server.phone, {"transport": "tls", "encryption": "mandatory"}
            for hangs_up in (0, 1):
                with Phone("ada", **secure) as ada:  # type: ignore[arg-type]
                    ada.call(f"sip:device@127.0.0.1:{server.port}")
                    incoming = bob.wait(Incoming, WAIT)
                    assert incoming.source.startswith("127.0.0.1:")
                    bob.answer()
                    ada.connected(WAIT)
                    assert ada.media is not None
                    assert bob.media is not None
                    assert ada.media.media.local_crypto == bob.media.media.remote_crypto != ""
                    (ada, bob)[hangs_up].hang_up()
                    assert (bob, ada)[hangs_up].wait(Ended, WAIT).code == 200
                    (ada, bob)[hangs_up].wait(Ended, WAIT)

    def test_what_a_peer_sees_is_the_device_and_no_hop(self, device: str, other: str, tmp_path: Path) -> None:
        server = context(NEW[1], pem=other, server=True, folder=tmp_path)
        listener = TlsSettings(certificate=device)
        with SipPeer(tls=server) as peer, Phone("ada", configure={"tls": listener}, transport="tls") as ada:
            assert ada.ready is not None
            ada.call(f"sip:bob@{peer.address}")
            invite = peer.wait("INVITE", WAIT)
            assert invite.start == f"INVITE sip:bob@{peer.address};transport=tls SIP/2.0"
            assert invite["Via"].startswith(f"SIP/2.0/TLS 127.0.0.1:{ada.ready.tls_port};rport;")
            contact = f"sip:ada@127.0.0.1:{ada.ready.tls_port};transport=tls"
            assert contact in invite["Contact"]
            assert not invite.all("Route") + invite.all("Record-Route")
            ringing = [f"Contact: <sip:bob@{peer.address};transport=tls>"]
            peer.reply(invite, 180, "Ringing", ringing)
            ada.hang_up()
            cancel = peer.wait("CANCEL", WAIT)
            branch = invite["Via"].partition("branch=")[2]
            assert cancel["Via"].partition("branch=")[2] == branch
            peer.reply(cancel, 200)
            peer.reply(invite, 487, "Request Terminated")
            assert peer.wait("ACK", WAIT)["Via"].partition("branch=")[2] == branch
            ada.wait(Ended, WAIT)

    def test_sip_secure_is_sips_on_the_wire_and_in_the_whole_call(self, other: str, tmp_path: Path) -> None:
        server = context(NEW[1], pem=other, server=True, folder=tmp_path)
        secure = {"transport": "tls", "sips": True, "uri": "<sip:ada@127.0.0.1>"}
        with SipPeer(tls=server) as peer, Phone("ada", **secure) as ada:  # type: ignore[arg-type]
            ada.call(f"sips:bob@{peer.address}")
            invite = peer.wait("INVITE", WAIT)
            assert invite.start == f"INVITE sips:bob@{peer.address} SIP/2.0"
            for name in ("From", "To", "Contact"):
                assert re.search(r"(?:^|<)sips:", invite[name])
            peer.reply(invite, 200, "OK", answer(f"sips:bob@{peer.address}"))
            assert peer.wait("ACK", WAIT).start.startswith(f"ACK sips:bob@{peer.address}")
            ada.wait(Connected, WAIT)
            ada.hang_up()
            bye = peer.wait("BYE", WAIT)
            assert bye.start.startswith(f"BYE sips:bob@{peer.address}")
            peer.reply(bye, 200)
            ada.wait(Ended, WAIT)

    def test_a_sips_address_is_not_called_by_an_account_that_is_not_secure(self) -> None:
        with Phone("ada") as ada:
            ada.call("sips:bob@127.0.0.1:5061")
            assert ada.wait(Ended, WAIT).code == 416

    def test_a_sips_call_comes_in_over_a_connection_and_goes_back_over_it(self, device: str) -> None:
        with Server(TlsSettings(certificate=device)) as server, SipPeer(tls=context(NEW[0])) as peer:
            stream = peer.connect("127.0.0.1", server.port)
            stream.sendall(invite_of(server.port).encode())
            incoming = server.phone.wait(Incoming, WAIT)
            own = stream.getsockname()[1]
            assert incoming.source == f"127.0.0.1:{own}"
            assert incoming.remote == "<sips:eve@127.0.0.1>"
            server.phone.hang_up(486)
            found = peer.wait("486", WAIT)
            assert found["To"].startswith("<sips:device@127.0.0.1>")
            (via,) = found.all("Via")
            parts = {"SIP/2.0/TLS 127.0.0.1:9", f"rport={own}", "branch=z9hG4bKeve", "received=127.0.0.1"}
            assert set(via.split(";")) == parts
            assert not found.all("Record-Route")

    def test_nonsense_closes_its_connection_and_no_other(self, device: str) -> None:
        with Server(TlsSettings(certificate=device)) as server:
            for nonsense in (
                b"GET / HTTP/1.0\r\n\r\n",
                b"\x00" * 70_000,
                b"INVITE x SIP/2.0\r\nContent-Length: -1\r\n\r\n",
            ):
                plain = socket.create_connection(("127.0.0.1", server.port), WAIT)
                with plain, context(NEW[1]).wrap_socket(plain) as secure:
                    secure.sendall(nonsense)
                    with contextlib.suppress(OSError):
                        assert secure.recv(100) == b""
            assert shake_hands(server.port, context(NEW[1])) == "TLSv1.3"

    def test_a_flood_is_refused_before_pjsip_sees_it_and_the_next_caller_is_served(self, device: str) -> None:
        low = {
            "tls": TlsSettings(certificate=device),
            "most_load": 0.005,
        }  # so that this machine reaches it, and not by waiting
        with Phone("device", configure=low) as phone, SipPeer(tls=context(NEW[1])) as peer:
            assert phone.ready is not None
            pid, port = phone.process.pid, phone.ready.tls_port
            stream = peer.connect("127.0.0.1", port)
            busy, end, number = "SIP/2.0 503 Busy", time.monotonic() + 60, 0

            def said(count: int) -> str:
                """What the last of some more callers hears."""
                nonlocal number
                assert time.monotonic() < end
                for _ in range(count):
                    number += 1
                    stream.sendall(invite_of(port, number).encode())
                while (response := peer.wait("", WAIT))["Call-ID"] != f"eve{number}":
                    pass
                return response.start

            while said(100) != busy:
                pass
            assert phone.wait(Refused, WAIT).what == "flood"
            while said(1) == busy:  # until PJSIP answers again, whatever it says: its calls are all taken
                time.sleep(0.5)  # wall clock: the limit counts seconds
            assert phone.process.pid == pid


def answer(contact: str) -> list[str]:
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"
    return ["Content-Type: application/sdp", f"Contact: <{contact}>", "", body]


def invite_of(port: int, number: int = 0) -> str:
    return (
        f"INVITE sips:device@127.0.0.1:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/TLS 127.0.0.1:9;rport;branch=z9hG4bKeve{number or ''}\r\n"
        "X-Axcore-Source: 10.9.9.9:1\r\nMax-Forwards: 70\r\nFrom: <sips:eve@127.0.0.1>;tag=1\r\n"
        f"To: <sips:device@127.0.0.1>\r\nCall-ID: eve{number}\r\nCSeq: 1 INVITE\r\nContact: <sips:eve@127.0.0.1:9>\r\n"
        "Content-Length: 0\r\n\r\n"
    )


class TestDevice:
    """A door station with certificates of its keystore."""

    def test_an_account_and_a_caller_by_tls(self, tmp_path: Path, device: str, other: str) -> None:
        config = Config(network=NetworkConfig(bind="127.0.0.1"))
        door = Device("a8207-ve-mk2", tmp_path / "data", config=config, media=RtpMedia())
        door.start()
        assert door.intercom is not None
        intercom = door.intercom.service

        def do(job: Callable[[Any], Any]) -> Any:
            return door.ledger.submit(job).result(timeout=60)

        def until(holds: Callable[[], object]) -> None:
            end = time.monotonic() + WAIT
            while not holds():
                assert time.monotonic() < end
                time.sleep(0.01)

        try:
            do(lambda tx: door.certificates.add(tx, "own", public(device), device.partition("-----BEGIN CERT")[0]))
            do(lambda tx: door.certificates.add(tx, "pbx", public(other)))
            server = context(NEW[1], pem=other, server=True, folder=tmp_path)
            with SipPeer(tls=server) as peer:
                spec = SipAccountSpec(
                    name="PBX", kind="registered", user_id="door", registrar=f"localhost:{peer.port}", transport="tls",
                    tls_version="1.3", certificate="own", verify_server=True, ca_certificate="pbx", sips=True,
                )  # fmt: skip
                account = do(lambda tx: intercom.accounts.add_account(tx, spec)).id
                patch = {"enabled": True, "allow_incoming": True, "port": 0, "tls_port": 0, "certificate": "own"}
                do(lambda tx: intercom.accounts.set_settings(tx, patch))
                request = peer.wait("REGISTER", WAIT)
                assert request.start == f"REGISTER sips:localhost:{peer.port} SIP/2.0"
                peer.reply(request, 200, "OK", [f"Contact: {request['Contact']};expires=300"])
                until(lambda: account in intercom.registrations and intercom.registrations[account].active)
                do(lambda tx: intercom.call(tx, "1001", account))
                invite = peer.wait("INVITE", WAIT)
                assert invite.start == f"INVITE sips:1001@localhost:{peer.port} SIP/2.0"
                peer.reply(invite, 486, "Busy Here")
                until(lambda: {call.state for call in intercom.calls()} == {"Terminated"})
            ready = intercom.lines[0]
            assert ready is not None
            with Phone("ada", transport="tls", tls=TlsSettings(verify=True, ca=public(device))) as ada:
                ada.call(f"sip:door@localhost:{ready.tls_port}")
                until(lambda: intercom.calls()[-1].direction == "Incoming")
                assert ada.wait(Progress, WAIT).code == 180
        finally:
            door.stop()

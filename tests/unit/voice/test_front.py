"""The TLS front: whom a key of a request names, and how that one is spoken with. What goes over the wire is tested in
``tests/e2e/test_sip_tls.py``."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from axcore.errors import InputError
from axcore.model.voice import TlsSettings
from axcore.voice import hop
from axcore.voice.front import Front
from axcore.voice.locate import Locator
from axcore.voice.message import Message

STRICT, LOOSE = TlsSettings(verify=True), TlsSettings()


@pytest.fixture
def front() -> Iterator[Front]:
    place = {"host": "127.0.0.1", "port": 5060, "bind": "127.0.0.1", "listen_port": 0}
    made = Front(Locator(lambda host: host), **place, listener=None)  # type: ignore[arg-type]
    yield made
    made._loop.close()


def key(front: Front, account: str, *, secure: bool) -> str:
    """That a request of an account has, on the wire and back."""
    route = f"<{front.way(account, secure=secure)}>"
    request = Message("OPTIONS sip:x@pbx SIP/2.0", [("Route", route), ("Via", "SIP/2.0/TCP a;branch=b")], b"")
    found = hop.key_of(request, front.hop)
    assert found.endswith(hop.SECURE) is secure
    return found.removesuffix(hop.SECURE)


@pytest.mark.parametrize("secure", [False, True])
def test_each_account_has_its_own_verification_whatever_its_id(front: Front, secure: bool) -> None:
    modes = {"pbx": LOOSE, "pbx-s": STRICT, "pbx-a": LOOSE, "pbx-s-a": STRICT, "pbx-a-s": LOOSE, "ax1": STRICT}
    for account, settings in modes.items():
        front.account(account, settings)
    for account, settings in modes.items():
        mode = ssl.CERT_REQUIRED if settings.verify else ssl.CERT_NONE
        assert front._context(key(front, account, secure=secure)).verify_mode == mode


def test_an_account_is_not_taken_for_a_connection(front: Front) -> None:
    front.account("ax1", STRICT)
    assert key(front, "ax1", secure=False) not in {f"ax{number}" for number in range(3)}
    assert front._context("ax1").verify_mode == ssl.CERT_NONE  # who called, and whose connection is gone


@pytest.mark.parametrize("account", ["pbx-s", "pbx", "ax1", ""])
@pytest.mark.parametrize("secure", [False, True])
def test_an_account_that_is_not_known_is_spoken_for_by_no_other(front: Front, account: str, secure: bool) -> None:
    front.account("other", LOOSE)
    with pytest.raises(InputError, match="is not known"):
        front._context(key(front, account, secure=secure))


@pytest.mark.parametrize("nobody", ["", "pbx", "other", "ax", "ax1x", "-s", "-a"])
def test_a_key_that_names_nobody_is_refused(front: Front, nobody: str) -> None:
    front.account("other", LOOSE)
    with pytest.raises(InputError, match="is not known"):
        front._context(nobody)

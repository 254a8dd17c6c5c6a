"""The certificate store: what fits is kept, what does not is refused by name, keys never come back."""

from __future__ import annotations

import ssl

import msgspec
import pytest
from stubs import Device, FakeRequest

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.interfaces.http.rest import certificates as rest
from axcore.services.certificates import MAX_CERTIFICATES, CertificateStore
from axcore.testing.mosquitto import Authority

AUTHORITY = Authority()


@pytest.fixture
def device() -> Device:
    return Device()


def add(device: Device, alias: str, certificate: str = AUTHORITY.certificate, key: str = "") -> None:
    device.ledger.do(lambda tx: device.certificates.add(tx, alias, certificate, key))


def test_a_certificate_and_its_key(device: Device) -> None:
    add(device, "ca")
    add(device, "own", AUTHORITY.client, AUTHORITY.client_key)
    assert [(info.alias, info.has_key) for info in device.certificates.certificates()] == [("ca", False), ("own", True)]
    assert device.certificates.has("own", True)
    assert not device.certificates.has("ca", True)
    assert "PRIVATE" not in repr(device.certificates.certificates())
    again = CertificateStore()
    device.ledger.do(again.load)
    assert again.certificates() == device.certificates.certificates()
    device.ledger.do(lambda tx: device.certificates.remove(tx, "ca"))
    assert not device.certificates.has("ca")


def test_what_tls_gets(device: Device) -> None:
    add(device, "ca")
    add(device, "own", AUTHORITY.client, AUTHORITY.client_key)
    context = device.certificates.context(verify=True, ca="ca", client="own", alpn="mqtt")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1
    assert device.certificates.context(verify=False).verify_mode == ssl.CERT_NONE
    with pytest.raises(NotFoundError):
        device.certificates.context(verify=True, ca="nobody")


@pytest.mark.parametrize(
    ("alias", "certificate", "key", "field"),
    [
        ("", AUTHORITY.certificate, "", "alias"), ("a\n", AUTHORITY.certificate, "", "alias"),
        ("a", "no certificate", "", "certificate"), ("a", "\ud800", "", "certificate"),
        ("a", AUTHORITY.certificate * 40, "", "certificate"), ("a", AUTHORITY.certificate * 9, "", "certificate"),
        ("a", AUTHORITY.client, "no key", "key"), ("a", AUTHORITY.client, AUTHORITY.server_key, "key"),
        ("a", AUTHORITY.client, "x" * 40_000, "key"),
    ],
)  # fmt: skip
def test_what_is_refused(device: Device, alias: str, certificate: str, key: str, field: str) -> None:
    before = device.store.records()
    with pytest.raises(InputError) as error:
        add(device, alias, certificate, key)
    assert error.value.field == field
    assert device.store.records() == before


def test_aliases_are_unique_and_limited(device: Device) -> None:
    for number in range(MAX_CERTIFICATES):
        add(device, str(number))
    with pytest.raises(ConflictError):
        add(device, "0")
    with pytest.raises(LimitError):
        add(device, "one more")
    with pytest.raises(NotFoundError):
        device.ledger.do(lambda tx: device.certificates.remove(tx, "nobody"))


async def test_over_rest(device: Device) -> None:
    body = {"data": {"alias": "own", "certificate": AUTHORITY.client, "key": AUTHORITY.client_key}}
    made = await rest.add_certificate(FakeRequest(body=msgspec.json.encode(body)), device)  # type: ignore[arg-type]
    assert made.status == 201
    assert b"PRIVATE" not in made.body  # type: ignore[operator, attr-defined]
    listed = await rest.list_certificates(FakeRequest(), device)  # type: ignore[arg-type]
    assert msgspec.json.decode(listed.body)["data"][0]["alias"] == "own"  # type: ignore[attr-defined]
    await rest.delete_certificate(FakeRequest(id="own"), device)  # type: ignore[arg-type]
    assert device.certificates.certificates() == ()


def test_what_is_used_stays(device: Device) -> None:
    """Without it a client would no longer find its server, or say who it is, from the next start on."""
    users = {
        "ca": ["the MQTT client"],
        "own": ["the SIP account 'Desk'", "the settings of SIP", "the MQTT client", "x"],
    }
    device.certificates.users.add(lambda alias: users[alias])
    for alias in users:
        add(device, alias, AUTHORITY.client, AUTHORITY.client_key)
    before = device.store.records()
    for alias, told in (
        ("ca", "is used by the MQTT client; change"),
        ("own", "is used by the SIP account 'Desk', the settings of SIP, the MQTT client and 1 more; change"),
    ):
        with pytest.raises(ConflictError, match=f"^alias: the certificate '{alias}' {told}") as error:
            device.ledger.do(lambda tx, alias=alias: device.certificates.remove(tx, alias))  # type: ignore[misc]
        assert error.value.field == "alias"
        assert device.store.records() == before
    users["ca"] = []
    device.ledger.do(lambda tx: device.certificates.remove(tx, "ca"))

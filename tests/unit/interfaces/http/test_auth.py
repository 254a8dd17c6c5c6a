"""Logins over the real server: policies, challenges, digest replay, throttling."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.interfaces.http import digest
from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice, Reply

PATH = "/axis-cgi/usergroup.cgi"
POLICY = "Network.HTTP.AuthenticationPolicy"


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        device.add_account("root", "pass", Role.ADMIN)
        yield device


def challenges(reply: Reply) -> list[str]:
    values: list[str] = reply.headers.getall("WWW-Authenticate")
    return values


def set_policy(device: HttpDevice, policy: str) -> None:
    device.ledger.do(lambda tx: device.params.update(tx, {POLICY: policy}))


@pytest.mark.parametrize(
    ("policy", "secure", "schemes"),
    [
        ("Recommended", False, ["Digest", "Digest"]),
        ("Recommended", True, ["Digest", "Digest", "Basic"]),
        ("Digest", True, ["Digest", "Digest"]),
        ("Digest", False, ["Digest", "Digest"]),
        ("Basic", False, ["Basic"]),
        ("Basic", True, ["Basic"]),
        ("Basic_Digest", False, ["Digest", "Digest", "Basic"]),
    ],
)
async def test_policy(device: HttpDevice, policy: str, secure: bool, schemes: list[str]) -> None:
    set_policy(device, policy)
    reply = await device.request("GET", PATH, secure=secure)
    assert reply.status == 401
    assert [value.split()[0] for value in challenges(reply)] == schemes
    basic = await device.request("GET", PATH, secure=secure, user="root")
    assert basic.status == (200 if "Basic" in schemes else 401)
    login = await device.request("GET", PATH, secure=secure, user="root", digest=True)
    assert login.status == (200 if "Digest" in schemes else 401)


async def test_challenge_has_the_form_that_clients_parse(device: HttpDevice) -> None:
    md5, sha = challenges(await device.request("GET", PATH, secure=False))
    pattern = r'Digest realm="AXIS_B8A44F[0-9A-F]{6}", nonce="[0-9a-f]+", algorithm=%s, stale=FALSE, qop="auth"'
    assert re.fullmatch(pattern % "MD5", md5)
    assert re.fullmatch(pattern % "SHA-256", sha)


class Digest:
    """A digest client written for the test, from RFC 7616."""

    def __init__(self, device: HttpDevice, reply: Reply, algorithm: str = "MD5") -> None:
        self.device = device
        header = next(value for value in challenges(reply) if f"algorithm={algorithm}" in value)
        self.fields = digest.parse_credentials(header.removeprefix("Digest "))
        self.hash = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def header(
        self, uri: str, *, nc: int | str = 1, password: str = "pass", user: str = "root", **override: str
    ) -> str:
        def h(text: str) -> str:
            return self.hash(text.encode()).hexdigest()

        realm, nonce = self.fields["realm"], override.get("nonce", self.fields["nonce"])
        a1, a2 = h(f"{user}:{realm}:{password}"), h(f"GET:{override.get('uri', uri)}")
        count = nc if isinstance(nc, str) else f"{nc:08x}"
        answer = h(f"{a1}:{nonce}:{count}:abc,=:auth:{a2}")
        values = {
            "username": user,
            "realm": realm,
            "nonce": nonce,
            "uri": uri,
            "cnonce": "abc,=",
            "response": answer,
            **override,
        }
        quoted = ", ".join(f'{key}="{value}"' for key, value in values.items() if key not in ("nc", "qop", "algorithm"))
        plain = {"nc": count, "qop": "auth", "algorithm": self.fields["algorithm"], **override}
        return f"Digest {quoted}, " + ", ".join(
            f"{key}={plain[key]}" for key in ("nc", "qop", "algorithm") if plain[key]
        )

    async def get(self, uri: str = PATH, **options: object) -> Reply:
        header = self.header(uri, **options)  # type: ignore[arg-type]
        return await self.device.request("GET", uri, secure=False, headers={"Authorization": header})


async def login(device: HttpDevice, algorithm: str = "MD5") -> Digest:
    return Digest(device, await device.request("GET", PATH, secure=False), algorithm)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_counts_and_replay(device: HttpDevice, algorithm: str) -> None:
    client = await login(device, algorithm)
    assert [(await client.get(nc=nc)).status for nc in (1, 2, 4, 3)] == [200] * 4, "parallel connections mix the order"
    replay = await client.get(nc=2)
    assert replay.status == 401
    assert "stale=TRUE" in challenges(replay)[0]
    assert (await client.get(nc=0)).status == 401


async def test_digest_uri_with_commas(device: HttpDevice) -> None:
    client = await login(device)
    reply = await client.get("/axis-cgi/param.cgi?action=list&group=Brand,Properties.System,Properties.Firmware")
    assert reply.status == 200
    assert "root.Brand.ProdNbr=A8207-VE" in reply.text
    assert "root.Properties.Firmware.Version" in reply.text


async def test_old_nonces_are_stale_and_forged_ones_too(device: HttpDevice) -> None:
    client = await login(device)
    device.clock.advance(301)
    late = await client.get()
    assert late.status == 401
    assert "stale=TRUE" in challenges(late)[0], "the password was right: the client may try again by itself"
    forged = await (await login(device)).get(nonce="0" * 52)
    assert forged.status == 401


@pytest.mark.parametrize(
    "override",
    [
        {"qop": "auth-int"},
        {"qop": ""},
        {"algorithm": "SHA-512"},
        {"algorithm": "MD5-sess"},
        {"nc": "1"},
        {"nc": "zz"},
        {"realm": "other"},
        {"cnonce": ""},
        {"response": "0" * 32},
        {"response": "ä"},
        {"username": ""},
        {"username": "nobody"},
        {"nonce": ""},
        {"nonce": "x"},
    ],
)
async def test_bad_digests(device: HttpDevice, override: dict[str, str]) -> None:
    client = await login(device)
    assert (await client.get(**override)).status in (400, 401)
    assert (await client.get()).status == 200


async def test_a_digest_is_good_for_its_request_only(device: HttpDevice) -> None:
    client = await login(device)
    header = client.header(PATH)
    other = await device.request(
        "GET", "/axis-cgi/param.cgi?action=list", secure=False, headers={"Authorization": header}
    )
    assert other.status == 400
    method = await device.request("POST", PATH, secure=False, headers={"Authorization": header})
    assert method.status in (401, 405)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic cm9vdA==",
        "Basic //79",
        "Bearer x",
        "Digest",
        "Digest x",
        'Digest username="',
        "Digest " + "a=1," * 2000,
        'Digest username="root", username="root"',
        "Negotiate abc",
        "x" * 4000,
        ",",
    ],
)
async def test_bad_headers(device: HttpDevice, header: str) -> None:
    for secure in (True, False):
        reply = await device.request("GET", PATH, secure=secure, headers={"Authorization": header})
        assert reply.status in (400, 401)


async def test_changed_accounts_work_at_once(device: HttpDevice) -> None:
    assert (await device.request("GET", PATH, user="root")).status == 200
    secrets = device.accounts.derive("root", "new")
    device.ledger.do(lambda tx: device.accounts.update(tx, "root", secrets=secrets))
    assert (await device.request("GET", PATH, user="root")).status == 401
    assert (await device.request("GET", PATH, user="root", password="new")).status == 200


async def test_right_logins_are_remembered_for_a_minute(device: HttpDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = []
    verify = device.accounts.verify_basic
    monkeypatch.setattr(device.accounts, "verify_basic", lambda *a: evaluated.append(a) or verify(*a))
    for _ in range(5):
        assert (await device.request("GET", PATH, user="root")).status == 200
    assert len(evaluated) == 1
    device.clock.advance(61)
    assert (await device.request("GET", PATH, user="root")).status == 200
    assert len(evaluated) == 2


@pytest.mark.parametrize("kind", ["basic", "digest"])
async def test_guessing_is_stopped(device: HttpDevice, kind: str) -> None:
    async def attempt(password: str) -> int:
        headers = {"X-Forwarded-For": f"10.0.0.{hash(password) % 250}"}
        digest = kind == "digest"
        reply = await device.request("GET", PATH, user="root", password=password, digest=digest, headers=headers)
        return reply.status

    found = [await attempt(f"guess{n}") for n in range(15)]
    assert found == [401] * 10 + [429] * 5
    assert await attempt("pass") == 429, "the right password is refused as well, so that nothing can be learnt"
    assert (await device.request("GET", PATH)).status == 401, "who does not try is still told how to log in"
    device.clock.advance(61)
    assert await attempt("pass") == 200


async def test_many_guesses_at_once_are_counted(device: HttpDevice) -> None:
    import asyncio

    replies = await asyncio.gather(*(device.request("GET", PATH, user="root", password=f"guess{n}") for n in range(40)))
    assert sum(reply.status == 401 for reply in replies) == 10


async def test_throttling_can_be_turned_off_and_set(device: HttpDevice) -> None:
    group = "System.PreventDoSAttack"
    device.ledger.do(lambda tx: device.params.update(tx, {f"{group}.DoSPageCount": "3"}))
    found = [(await device.request("GET", PATH, user="root", password=f"{n}")).status for n in range(5)]
    assert found == [401, 401, 401, 429, 429]
    device.ledger.do(lambda tx: device.params.update(tx, {f"{group}.ActivatePasswordThrottling": "off"}))
    assert (await device.request("GET", PATH, user="root")).status == 200


async def test_unknown_names_are_verified_like_known_ones(device: HttpDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    from axcore.services.accounts import service

    seen = []
    verify = service.verify
    monkeypatch.setattr(service, "verify", lambda *a: seen.append(a) or verify(*a))
    assert (await device.request("GET", PATH, user="nobody")).status == 401
    assert len(seen) == 1
    assert seen[0][0].split("$")[:4] == device.accounts.accounts()[0].scrypt.split("$")[:4]


FOREIGN = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Referer": "http://evil.example/page"},
    {"Origin": "https://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "garbage"},
    {"Origin": "http://[x"},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_pages_of_other_origins_change_nothing(device: HttpDevice, headers: dict[str, str]) -> None:
    path = "/axis-cgi/pwdgrp.cgi?action=add&user=evil&pwd=evil&grp=users&sgrp=viewer:operator:admin"
    for method in ("GET", "POST"):
        reply = await device.request(method, path, user="root", headers=headers)
        assert reply.status == 403
    assert len(device.accounts.accounts()) == 1
    own = {"Origin": device.https, "Sec-Fetch-Site": "same-origin", "Referer": device.https + "/x"}
    assert (await device.request("POST", path, user="root", headers=own)).status == 200

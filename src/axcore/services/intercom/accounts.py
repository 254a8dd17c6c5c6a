"""SIP settings and accounts (manual: SIP), and what the voice processes are told of them; with ``dtmf``, their keys.

There is always a default account; without any other, it is the peer-to-peer account, which makes itself. Changes are
jobs of the ledger thread; what is read are snapshots, from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.convert import patched
from axcore.model.intercom import (
    MAX_ACCOUNTS,
    PEER_TO_PEER,
    DtmfSequence,
    DtmfSequenceSpec,
    SipAccount,
    SipAccountSpec,
    SipProxy,
    SipSettings,
    Target,
)
from axcore.model.nat import Traversal
from axcore.model.sip import SipUri, identity, parse_address, parse_uri
from axcore.model.voice import Configure, TlsSettings, TlsVersion, VoiceAccount
from axcore.services.stored import keep_settings, load_settings
from axcore.services.users import Users, refuse_if_used

from . import check, notices
from .dtmf import Dtmf
from .servers import Route, routes
from .shelf import Shelf

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction
    from axcore.services.certificates import CertificateStore

SETTINGS = ("intercom", "sip")
DEFAULT = ("intercom", "default_account")
SHARED = ("rtp_keys", "info_keys", "dtmf_configuration")
"""What all peer-to-peer accounts have alike: which keys they take, and how."""
SERVER_FIELDS = ("registrar", "domain", "secondary_server")
"""Whom the password of an account is for."""
TURN_FIELDS = ("turn_server", "turn_user")
NOBODY = "gone"
"""In the place of an authority that was removed: no PEM, so that TLS is refused rather than unverified."""
INCOMING_SLOT, INCOMING_SLOTS = 12, 12
"""RTP ports (two each) of incoming calls: those before are of outgoing ones."""


class SipAccounts:
    """See the module's text. ``changed`` is called in each transaction that changes what the processes are told.

    ``answers``: the account that makes itself answers automatically.
    """

    def __init__(self, changed: Callable[[Transaction], None], *, answers: bool = False) -> None:
        self.settings = SipSettings()
        self.default = PEER_TO_PEER
        """Id of the default account."""
        self.unavailable: Callable[[], str] = lambda: ""
        """Why SIP cannot be turned on; empty = it can."""
        self.route: Callable[[SipAccount], Route] = lambda account: routes(account)[0]
        """That an account takes now."""
        self.certificates: CertificateStore | None = None
        """Where aliases of certificates are looked up; None: there are none."""
        self.users = Users[str]()
        """Asked by id before an account is removed."""
        self._changed, self._answers = changed, answers
        self._told: dict[int, Configure] = {}
        """What each line was told last."""
        self._here = "", ""
        """The device's own address and name, as lines were told last."""
        self._accounts = Shelf("sip_account", SipAccountSpec, SipAccount, MAX_ACCOUNTS, self._check_account)
        self.dtmf = Dtmf(lambda: self.accounts)

    def load(self, tx: Transaction) -> None:
        """Read what is stored; make the peer-to-peer account if there is none."""
        self.settings = load_settings(tx, SETTINGS, SipSettings)
        self._accounts.load(tx)
        self.dtmf.load(tx)
        self.default = (tx.get(*DEFAULT) or PEER_TO_PEER.encode()).decode()
        if not self._accounts.all:
            self._accounts.add(tx, SipAccountSpec(name="Peer-to-peer", auto_answer=self._answers), key=PEER_TO_PEER)
            self.default = PEER_TO_PEER

    # --- any thread

    @property
    def accounts(self) -> Mapping[str, SipAccount]:
        """By id; with passwords."""
        return self._accounts.all

    @property
    def sequences(self) -> Mapping[str, DtmfSequence]:
        """By id."""
        return self.dtmf.sequences

    def using(self, certificate: str) -> Iterable[str]:
        """What is encrypted with a certificate (alias), or trusts by it."""
        if certificate in (self.settings.certificate, self.settings.ca_certificate):
            yield "the settings of SIP"
        for account in self.accounts.values():
            if certificate in (account.certificate, account.ca_certificate):
                yield f"the SIP account {account.name!r}"

    @property
    def traversal(self) -> Traversal | None:
        """How calls find their way through NAT; None: they do not look for one."""
        now = self.settings
        if not (now.ice or now.stun or now.turn):
            return None
        return Traversal(
            ice=now.ice,
            stun=now.stun_server if now.stun else "",
            turn=now.turn_server if now.turn else "",
            turn_user=now.turn_user,
            turn_password=now.turn_password,
        )

    def account(self, key: str, field: str = "account") -> SipAccount:
        """Of an id; of the default account without one. NotFoundError."""
        return self._accounts.get(key or self.default, field)

    def sequence(self, key: str) -> DtmfSequence:
        """NotFoundError."""
        return self.dtmf.sequence(key)

    def keys_of(self, account: str) -> dict[str, str]:
        """What an account takes: ids of events by keys."""
        return self.dtmf.keys_of(account)

    def target(self, address: str, account: str = "", *, contact: str = "", field: str = "sip_address") -> Target:
        """Whom an address means, called from an account. InputError, NotFoundError."""
        chosen = self.account(account)
        uri = parse_address(address, _domain(chosen), field)
        if uri.secure and not chosen.sips:
            raise InputError(field, "is a sips address: it needs an account with SIP secure")
        return Target(uri=str(uri), account=chosen.id, contact=contact)

    def configure(self, line: int, *, bind: str, own_address: str, name: str) -> Configure:
        """What a voice process is told. The first one listens and registers; the others only call."""
        settings, first = self.settings, line == 0
        start = settings.rtp_start_port + 2 * INCOMING_SLOT
        listens = bool(settings.certificate) and (
            first or any(one.transport == "tls" for one in self.accounts.values())
        )
        self._here = own_address, name
        self._told[line] = told = Configure(
            bind=bind,
            port=settings.port if first else 0,
            tls_port=settings.tls_port if first else 0,
            tls=self._tls(settings.certificate, settings.ca_certificate, verify=settings.verify_client)
            if listens
            else None,
            codecs=settings.codecs,
            accounts=tuple(
                self.route(one).applied(
                    _voice_account(
                        one,
                        settings,
                        own_address,
                        name,
                        self._tls_of(one),
                        register=first,
                        default=one.id == self.default,
                    )
                )
                for one in self.accounts.values()
                if one.active
            ),
            allow_refer=settings.allow_transfer,
            incoming_ports=tuple(start + 2 * slot for slot in range(INCOMING_SLOTS)) if first else (),
            t1_ms=settings.t1,
            t2_ms=settings.t2,
            tcp_switch=settings.udp_to_tcp,
        )
        return told

    def _tls_of(self, account: SipAccount) -> TlsSettings:
        if account.transport != "tls":
            return TlsSettings()
        return self._tls(
            account.certificate, account.ca_certificate, verify=account.verify_server, version=account.tls_version
        )

    def _tls(self, certificate: str, ca: str, *, verify: bool, version: TlsVersion = "auto") -> TlsSettings:
        """With what the aliases stand for. A certificate that is gone is none; verification then finds nobody."""
        return TlsSettings(
            version=version,
            certificate=self._pem(certificate, with_key=True) or "",
            verify=verify,
            ca=(self._pem(ca) or NOBODY) if verify and ca else "",
        )

    def _pem(self, alias: str, *, with_key: bool = False) -> str | None:
        store = self.certificates
        if store is None or not alias or not store.has(alias, with_key):
            return None
        return store.pem(alias, with_key=with_key)

    def told(self, line: int, account: str) -> VoiceAccount | None:
        """What a line was told of an account; None if nothing."""
        configure = self._told.get(line)
        accounts = configure.accounts if configure is not None else ()
        return next((one for one in accounts if one.id == account), None)

    def address(self, account: SipAccount) -> str:
        """The address (``sip:user@host``) of an account; a peer-to-peer account is reached at the device's own port.

        Empty while that is not known: before SIP was on for the first time.
        """
        uri = _address(account, *self._here)
        if not uri.host:
            return ""
        if account.kind == "peer_to_peer" and uri.host == self._here[0]:
            port = self.settings.tls_port if account.transport == "tls" else self.settings.port
            uri = msgspec.structs.replace(uri, port=port or None)
        return str(uri)

    def own(self) -> frozenset[str]:
        """Whom calls of this device come from (``identity``): a call to one of these comes back."""
        told = self._told.get(0)
        return frozenset(identity(one.uri) for one in told.accounts) if told is not None else frozenset()

    # --- changes

    def set_settings(self, tx: Transaction, patch: Mapping[str, Any]) -> SipSettings:
        """InputError, ConflictError."""
        old = self.settings
        new = check.settings(patched(old, patch, SipSettings))
        check.ports(new, old)
        if old.turn_password and "turn_password" not in patch:
            if not new.turn_server:
                new = msgspec.structs.replace(new, turn_password="")
            elif any(getattr(new, name) != getattr(old, name) for name in TURN_FIELDS):
                raise InputError("turn_password", "is needed again: the TURN server or its user has changed")
        self._check_certificates(new)
        if new.enabled and not self.settings.enabled and (reason := self.unavailable()):
            raise ConflictError("enabled", reason)
        if keep_settings(tx, SETTINGS, self, new):
            self._changed(tx)
        return new

    def add_account(self, tx: Transaction, spec: SipAccountSpec, *, key: str = "") -> SipAccount:
        """LimitError, InputError."""
        account = self._accounts.add(tx, spec, key=key)
        plain = SipAccountSpec(name="")
        account = self._share(tx, account, {name for name in SHARED if getattr(account, name) != getattr(plain, name)})
        self.dtmf.check_account(None, account)
        self._changed(tx)
        return account

    def update_account(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> SipAccount:
        """Change an account. A password that is left out is forgotten, which is an event, where it would go to a
        server (``SERVER_FIELDS``) that the account did not have. Errors as above."""
        old = self.account(key, "id")
        patch = dict(patch)
        forgets = bool(old.password) and "password" not in patch and _other_server(old, patch)
        if forgets:
            patch["password"] = ""
        if isinstance(patch.get("proxies"), list):
            patch["proxies"] = [_with_password(one, old.proxies) for one in patch["proxies"]]
        new = self._accounts.update(tx, key, patch)
        if new.id == self.default and not new.active:
            raise ConflictError("active", "the default account is always active")
        new = self._share(tx, new, patch)
        self.dtmf.check_account(old, new)
        if forgets:
            reason = "its servers have changed, so that its password was forgotten and is needed again"
            tx.publish(notices.fault(f"SIP account {new.name}: {reason}"))
        self._changed(tx)
        return new

    def remove_account(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError for the default account, and for one that is used (it names by whom)."""
        account = self._accounts.get(key)
        if key == self.default:
            raise ConflictError("id", "is the default account: make another one the default first")
        refuse_if_used("id", f"the SIP account {account.name!r}", self.users.of(key))
        self._accounts.remove(tx, key)
        self.dtmf.forget_account(tx, key)
        self._changed(tx)

    def make_default(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError for an account that is not active."""
        if not self.account(key, "id").active:
            raise ConflictError("id", "is not active")
        tx.put(*DEFAULT, key.encode())
        tx.assign(self, "default", key)
        self._changed(tx)

    def add_sequence(self, tx: Transaction, spec: DtmfSequenceSpec) -> DtmfSequence:
        """LimitError, ConflictError, InputError."""
        return self.dtmf.add_sequence(tx, spec)

    def update_sequence(self, tx: Transaction, key: str, patch: Mapping[str, Any]) -> DtmfSequence:
        """NotFoundError and as above."""
        return self.dtmf.update_sequence(tx, key, patch)

    def remove_sequence(self, tx: Transaction, key: str) -> None:
        """NotFoundError; ConflictError for one that is used. Rules that wait for it never fire again."""
        self.dtmf.remove_sequence(tx, key)

    # --- inside

    def _share(self, tx: Transaction, account: SipAccount, given: Container[str]) -> SipAccount:
        """All peer-to-peer accounts take the same keys in the same ways (manual: SIP > DTMF > Protocols).

        Those that are ``given`` for one count for all; the others of a new one are those of all.
        """
        others = [one for one in self.accounts.values() if one.kind == "peer_to_peer" and one.id != account.id]
        if account.kind != "peer_to_peer" or not others:
            return account
        ways = {name: getattr(account if name in given else others[0], name) for name in SHARED}
        for one in (*others, account):
            self._accounts.update(tx, one.id, ways)
        return self._accounts.get(account.id)

    def _check_account(self, spec: SipAccountSpec, key: str) -> SipAccountSpec:
        spec = check.account(spec, key)
        self._check_certificates(spec)
        if spec.dtmf_configuration:
            self.dtmf.configuration(spec.dtmf_configuration, "dtmf_configuration")
        return spec

    def _check_certificates(self, new: SipSettings | SipAccountSpec) -> None:
        for field, alias, with_key in (
            ("certificate", new.certificate, True),
            ("ca_certificate", new.ca_certificate, False),
        ):
            if alias and (self.certificates is None or not self.certificates.has(alias, with_key)):
                raise NotFoundError(field, f"there is no certificate {alias[:40]!r}{' with a key' * with_key}")


def _with_password(proxy: Any, old: Iterable[SipProxy]) -> Any:
    """A proxy of a patch; without a password it keeps that of the same proxy and user."""
    if not isinstance(proxy, dict) or "password" in proxy:
        return proxy
    same = (proxy.get("address"), proxy.get("username", ""))
    kept = next((one.password for one in old if (one.address, one.username) == same), "")
    return {**proxy, "password": kept}


def _other_server(account: SipAccount, patch: Mapping[str, Any]) -> bool:
    """Whether a patch names a server that the account did not have; in doubt, it does."""
    known = {getattr(account, name) for name in SERVER_FIELDS}
    return any(str(patch[name]).strip().lower() not in {"", *known} for name in SERVER_FIELDS if name in patch)


def _domain(account: SipAccount) -> str:
    return account.domain or account.registrar


def _address(account: SipAccount, own_address: str, name: str) -> SipUri:
    """The address that calls of an account come from."""
    host = (_domain(account) if account.kind == "registered" else account.domain) or own_address
    try:
        return parse_uri(f"sip:{account.user_id or name}@{host}")
    except InputError:
        return SipUri(host=own_address, user=name)


def _voice_account(
    account: SipAccount,
    settings: SipSettings,
    own_address: str,
    name: str,
    tls: TlsSettings,
    *,
    register: bool,
    default: bool,
) -> VoiceAccount:
    uri = _address(account, own_address, name)
    return VoiceAccount(
        id=account.id,
        uri=f'"{account.caller_id or account.user_id or name}" <{uri}>',
        username=(account.authentication_id or account.user_id) if account.password else "",
        password=account.password,
        transport=account.transport,
        encryption=account.encryption,
        default=default,
        register=register,
        expires_s=settings.register_interval,
        via_rewrite=settings.via_rewrite,
        contact_rewrite=settings.contact_rewrite,
        tls=tls,
        sips=account.sips,
        audio=settings.audio_direction,
        event_type=settings.dtmf_payload_type,
    )

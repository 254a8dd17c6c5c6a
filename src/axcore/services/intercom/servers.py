"""Servers of accounts: the routes that an account may take, and which of them it takes now (``devices.servers``).

A route is a registrar and, if there are any, one of the proxies; the first proxy that can be reached is used, and the
secondary server after all of those. What the voice processes say of a registration moves the choice; they are told of
another route while they run, so that calls stay. Threads: as of ``IntercomService``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from axcore.devices.servers import Ask, Servers, Step, Use
from axcore.model.intercom import SipAccount, SipProxy
from axcore.model.voice import Command, Probe, Probed, Register, Registration, Reroute, VoiceAccount

from . import notices
from .lines import COUNT

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

    from .accounts import SipAccounts

NS: Final = 1_000_000_000
GONE: Final = (408, 503)
"""Ends of a call after which its server may be gone."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way to the telephones of an account."""

    registrar: str = ""
    proxy: SipProxy | None = None
    secondary: bool = False

    @property
    def server(self) -> str:
        """Whom requests are sent to."""
        return self.proxy.address if self.proxy is not None else self.registrar

    def applied(self, account: VoiceAccount) -> VoiceAccount:
        """An account that takes it."""
        proxy = self.proxy
        way = (f"sip:{self.server}",) if proxy is not None or self.secondary else ()
        return msgspec.structs.replace(
            account,
            registrar=f"sip:{self.registrar}" if self.registrar else "",
            proxies=way,
            proxy_username=proxy.username if proxy is not None else "",
            proxy_password=proxy.password if proxy is not None else "",
            proxy_realm=proxy.realm if proxy is not None else "",
        )


def routes(account: SipAccount) -> tuple[Route, ...]:
    """Best first; never empty."""
    first = account.registrar or account.domain if account.kind == "registered" else ""
    servers = [first, account.secondary_server] if first and account.secondary_server else [first]
    return tuple(
        Route(registrar=server, proxy=proxy, secondary=rank > 0)
        for rank, server in enumerate(servers)
        for proxy in (account.proxies or (None,))
    )


class ServerChoice:
    """See the module's text; a timer of the ledger."""

    def __init__(self, accounts: SipAccounts, tell: Callable[[int, Command], None]) -> None:
        self._accounts, self._tell = accounts, tell
        self._chosen: Mapping[str, tuple[tuple[Route, ...], Servers]] = {}

    def route(self, account: SipAccount) -> Route:
        """That it takes now. Any thread."""
        known = routes(account)
        kept, servers = self._chosen.get(account.id, (known, None))
        return known[servers.current] if servers is not None and kept == known else known[0]

    def on_registration(self, tx: Transaction, report: Registration) -> None:
        """A registrar has answered, or has not."""
        now = tx.now.mono_ns

        def step(servers: Servers) -> Step:
            return servers.registered(now) if report.active else servers.failed(report.code, now)

        if report.active or report.code // 100 != 2:  # 200 of the end of a registration says nothing of the server
            self._step(tx, report.account, step)

    def on_probed(self, tx: Transaction, report: Probed) -> None:
        """The first server is there, or not."""
        self._step(tx, report.account, lambda servers: servers.asked(report.alive, tx.now.mono_ns))

    def on_failed_call(self, tx: Transaction, account: str, code: int) -> None:
        """A call did not get through: look at once whether the server is there."""
        known = self._accounts.accounts.get(account)
        if code in GONE and known is not None and known.kind == "registered":
            tx.after_commit(partial(self._tell, 0, Register(account=account)))

    def next_deadline(self) -> int | None:
        return min((one.deadline for _, one in self._chosen.values() if one.deadline is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for key in list(self._chosen):
            self._step(tx, key, lambda servers: servers.advance(now.mono_ns))

    def _step(self, tx: Transaction, key: str, act: Callable[[Servers], Step]) -> None:
        account = self._accounts.accounts.get(key)
        if account is None or account.kind != "registered" or not account.active:
            tx.assign(self, "_chosen", {name: one for name, one in self._chosen.items() if name != key})
            return
        known, settings = routes(account), self._accounts.settings
        new = Servers(count=len(known), tries=settings.max_retransmissions, fallback_ns=settings.fallback_interval * NS)
        kept, servers = self._chosen.get(key, (known, new))
        if kept != known or (servers.tries, servers.fallback_ns) != (new.tries, new.fallback_ns):
            servers = new
        before = servers.current
        servers, effects = act(servers)
        tx.assign(self, "_chosen", {**self._chosen, key: (known, servers)})
        for effect in effects:
            match effect:
                case Use(number, _) if number == before:
                    tx.after_commit(partial(self._tell, 0, Register(account=key)))
                case Use(number, reason):
                    self._use(tx, account, known[number], reason)
                case Ask(number):
                    probe = Probe(account=key, server=known[number].server, transport=account.transport)
                    tx.after_commit(partial(self._tell, 0, probe))

    def _use(self, tx: Transaction, account: SipAccount, route: Route, reason: str) -> None:
        tx.publish(notices.fault(f"SIP account {account.name}: {reason}; {route.server} is used"))
        for line in range(COUNT):
            told = self._accounts.told(line, account.id)
            if told is not None:
                tx.after_commit(partial(self._tell, line, Reroute(account=route.applied(told))))

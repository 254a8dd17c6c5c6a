"""How sound finds its way through NAT: ICE (RFC 8445, in SDP RFC 8839), STUN (RFC 8489), TURN (RFC 8656).

What the settings ask for, what was gathered before a peer is told where to send, and what became of it. Data only.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

CandidateKind = Literal["host", "srflx", "prflx", "relay"]
RTP, RTCP = 1, 2
"""Components of a stream (RFC 8839 section 5.1)."""
COMPONENTS: Final = (RTP, RTCP)


class Traversal(msgspec.Struct, frozen=True, kw_only=True):
    """What is used; servers are ``host`` or ``host:port``, empty ones are not asked."""

    ice: bool = False
    stun: str = ""
    turn: str = ""
    turn_user: str = ""
    turn_password: str = ""

    def __repr__(self) -> str:
        return f"Traversal(ice={self.ice}, stun={self.stun!r}, turn={self.turn!r}; the login is not shown)"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An address that sound may be sent to (RFC 8839 section 5.1); over UDP."""

    foundation: str
    component: int
    priority: int
    """1..2**31-1; higher is tried first."""
    address: str
    """An IP address, never a name."""
    port: int
    kind: CandidateKind
    related_address: str = ""
    """Base of a reflexive, mapped address of a relayed one; empty = not told."""
    related_port: int = 0


class Ice(msgspec.Struct, frozen=True, kw_only=True):
    """One side's part of ICE, as a description says it."""

    ufrag: str
    password: str
    candidates: tuple[Candidate, ...] = ()
    lite: bool = False
    """It answers checks and makes none (RFC 8445 section 2.5)."""

    def __repr__(self) -> str:
        return f"Ice(ufrag={self.ufrag!r}, {len(self.candidates)} candidates; the password is not shown)"


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said when it was asked last."""

    kind: Literal["stun", "turn"]
    server: str
    ok: bool
    reason: str = ""
    """Why not."""
    address: str = ""
    """``address:port`` that it gave; of RTP."""


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Where a peer is to send the sound of a leg. ``address`` empty: as without NAT traversal."""

    address: str = ""
    port: int
    rtcp_port: int = 0
    """0 = the one after ``port``."""
    ice: Ice | None = None
    servers: tuple[ServerAnswer, ...] = ()
    fault: str = ""
    """Why nothing was gathered at all."""
    taken: bool = False
    """``fault`` is that somebody else has the ports: others may do."""


class PathTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a path: ``chosen`` by the checks, ``failed`` (none was found), ``lost`` while it was used."""

    leg: str
    what: Literal["chosen", "failed", "lost"]
    detail: str

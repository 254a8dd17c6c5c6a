"""The intercom: settings, SIP accounts, contacts, DTMF sequences, calls (manual: Communication; VAPIX Call service).

Passwords come in and never go out. Who is called is a *target*; those that are called at the same time are a stage.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .voice import Direction, Encryption, TlsVersion, Transport

MAX_LEGS = 6
"""Most SIP recipients of one call."""
MAX_ACCOUNTS = 8
MAX_PROXIES = 4
MAX_CONTACTS = 500
MAX_GROUPS = 100
MAX_SEQUENCES = 100
MAX_DTMF_EVENTS = 100
MAX_DTMF_CONFIGURATIONS = 100
MAX_SOURCES = 100
MAX_NAME = 64
MAX_NOTES = 500
MAX_SEQUENCE = 64
PEER_TO_PEER = "peer-to-peer"
"""Id of the account that is there when there is no other."""
VMS_CALL = "VMS_CALL"
"""Stands for video management software where somebody to call is named."""
CODECS = ("PCMU", "PCMA", "G722", "L16")
"""Names of RFC 3551. L16 is payload type 11: 44.1 kHz, mono, 0.7 Mbit/s."""
DEFAULT_CODECS = ("PCMU", "PCMA", "G722")
CALL_SOURCE = "DoorStation"
"""Media source of calls: ``Source`` of their statuses and events."""

CallState = Literal["Idle", "Calling", "Active", "Terminating", "Terminated"]
CallDirection = Literal["Incoming", "Outgoing"]
CallType = Literal["SIP", "VMS"]
AccountKind = Literal["peer_to_peer", "registered"]
Policy = Literal["allow", "block"]
ButtonMode = Literal["end", "nothing", "delay"]
StandbyMode = Literal["auto", "on", "off"]
StreamKind = Literal["audio_to_network", "audio_from_network", "video_to_network"]
"""A stream between the device and the network: which way it goes is seen from the device."""


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What users enter: unknown fields are refused."""


class SipSettings(_Data, frozen=True, kw_only=True):
    """SIP > Settings and Access list."""

    enabled: bool = False
    allow_incoming: bool = False
    port: int = 5060
    """UDP and TCP; 0 = any free one."""
    tls_port: int = 5061
    """0 = any free one. Without ``certificate`` nobody can connect to it."""
    certificate: str = ""
    """Alias of the certificate (with its key) that is shown to those who connect by TLS."""
    verify_client: bool = False
    """Whether they must have one too, which ``ca_certificate`` vouches for."""
    ca_certificate: str = ""
    """Alias; empty = the authorities that the system trusts."""
    rtp_start_port: int = 4000
    """The first of 96 ports (UDP); those of SIP must not be among them."""
    calling_timeout: int = 60
    """Seconds that somebody is called who does not answer, 1..600."""
    incoming_duration: int = 600
    """Seconds that an incoming call may last, 1..600."""
    call_duration: int = 0
    """Seconds after which a call ends, 1..3600; 0 = never."""
    codecs: tuple[str, ...] = DEFAULT_CODECS
    """Best first."""
    register_interval: int = 300
    """Seconds between registrations, 30..86400."""
    max_retransmissions: int = 3
    """Failed registrations in a row, 1..100, after which the next server of an account has its turn."""
    fallback_interval: int = 300
    """Seconds until the first server is tried again once another one is used, or none answers, 10..86400."""
    t1: int = 500
    """RFC 3261 timer T1: ms until a request is sent again for the first time, 50..5000."""
    t2: int = 4000
    """RFC 3261 timer T2: most ms between two of them, t1..60000."""
    udp_to_tcp: bool = True
    """Whether a request that UDP would break up (over 1300 octets) goes by TCP."""
    audio_direction: Direction = "sendrecv"
    """Of the device's sound: ``sendrecv``, ``sendonly`` (it speaks) or ``recvonly`` (it is spoken to)."""
    dtmf_payload_type: int = 101
    """RTP payload type that is offered for keys (RFC 4733), 96..127."""
    via_rewrite: bool = True
    """Whether Via names the address that the registrar sees once it has told it; else always the device's own."""
    contact_rewrite: bool = True
    """The same for Contact. (The manual's sentences have it the other way round; the field's names mean this.)"""
    ice: bool = False
    """NAT traversal: candidates are told and checked (RFC 8445)."""
    stun: bool = False
    """NAT traversal: ``stun_server`` is asked for the device's public address (RFC 8489)."""
    stun_server: str = ""
    turn: bool = False
    """NAT traversal: sound may be relayed by ``turn_server`` (RFC 8656)."""
    turn_server: str = ""
    turn_user: str = ""
    turn_password: str = ""
    allow_transfer: bool = False
    """Whether a peer may have this device call somebody else (REFER)."""
    use_access_list: bool = False
    access_list_policy: Policy = "allow"
    access_list: tuple[str, ...] = ()
    """Caller ids, ``user@host`` and names are compared with From, which the caller writes himself; an IP address allows
    who calls from there, and blocks who does or says so."""
    """Caller ids (``1001``), hosts, or both (``1001@pbx``)."""


class SipProxy(_Data, frozen=True, kw_only=True):
    """A proxy that requests go through: the first one that can be reached."""

    address: str
    username: str = ""
    """Empty = it asks for none, or for that of the account."""
    password: str = ""
    realm: str = ""
    """That it names in its challenge; empty = learned from the first one."""


class SipAccountSpec(_Data, frozen=True, kw_only=True):
    """SIP > Accounts."""

    name: str
    active: bool = True
    kind: AccountKind = "peer_to_peer"
    auto_answer: bool = False
    user_id: str = ""
    domain: str = ""
    registrar: str = ""
    secondary_server: str = ""
    """Registrar that is used while ``registrar`` fails; empty = none."""
    password: str = ""
    authentication_id: str = ""
    """Empty = ``user_id``."""
    caller_id: str = ""
    transport: Transport = "udp"
    tls_version: TlsVersion = "auto"
    """TLS 1.2 or 1.3 alone; ``auto``: the newest that both sides can."""
    certificate: str = ""
    """Alias of the certificate that is shown to servers; empty = none."""
    verify_server: bool = False
    """Verify server certificate: by ``ca_certificate``, and by its name."""
    ca_certificate: str = ""
    """Alias; empty = the authorities that the system trusts."""
    encryption: Encryption = "none"
    sips: bool = False
    """SIP secure: addresses are ``sips:``, each hop is encrypted (RFC 3261 section 26.2.2); needs ``tls``."""
    proxies: tuple[SipProxy, ...] = ()
    rtp_keys: bool = True
    """Keys by RFC 4733 (RFC 2833)."""
    info_keys: bool = True
    """Keys by SIP INFO (RFC 2976)."""
    dtmf_configuration: str = ""
    """Id of the DTMF configuration whose sequences it takes, too; empty = none."""


class SipAccount(SipAccountSpec, frozen=True, kw_only=True):
    """A stored account."""

    id: str


class DtmfSequenceSpec(_Data, frozen=True, kw_only=True):
    """SIP > DTMF: keys that cause an event (VAPIX Call service: ``DTMFTrigger``)."""

    sequence: str
    """1..64 of 0-9, A-D, * and #. Empty: it has no keys; only where it is ``configured``."""
    description: str
    """May be empty where it has an ``event``, which has a name of its own."""
    accounts: tuple[str, ...] = ()
    """Ids; empty = all."""
    event: str = ""
    """Id of the event that it causes; empty = it is an event of its own, named by ``description``."""
    configured: bool = False
    """Only accounts whose DTMF configuration names it take it; then ``accounts`` is empty."""


class DtmfSequence(DtmfSequenceSpec, frozen=True, kw_only=True):
    """A stored sequence."""

    id: str

    @property
    def causes(self) -> str:
        """The ``DTMFEventId`` of its event."""
        return self.event or self.id


class DtmfEventSpec(_Data, frozen=True, kw_only=True):
    """What rules may wait for: several sequences may cause it."""

    name: str


class DtmfEvent(DtmfEventSpec, frozen=True, kw_only=True):
    """A stored event, or what a sequence is that has none."""

    id: str


class DtmfConfigurationSpec(_Data, frozen=True, kw_only=True):
    """Sequences and ways of keys for the accounts that name it; many may (VAPIX Call service)."""

    name: str
    triggers: tuple[str, ...] = ()
    """Ids of sequences."""
    rtp_keys: bool = True
    """Keys by RFC 4733 (RFC 2833), where the account takes those too."""
    info_keys: bool = True
    """Keys by SIP INFO (RFC 2976), where the account takes those too."""


class DtmfConfiguration(DtmfConfigurationSpec, frozen=True, kw_only=True):
    """A stored configuration."""

    id: str


class ContactSpec(_Data, frozen=True, kw_only=True):
    """Contact list > Contacts."""

    first_name: str
    last_name: str = ""
    speed_dial: str = ""
    sip_address: str
    account: str = ""
    """Id; empty = the default account."""
    availability: str = ""
    """Id of a schedule; empty = always."""
    fallback: str = ""
    """Id of a contact who is called instead; empty = none."""
    notes: str = ""


class Contact(ContactSpec, frozen=True, kw_only=True):
    """A stored contact."""

    id: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


class GroupSpec(_Data, frozen=True, kw_only=True):
    """Contact list > Groups: contacts who are called at the same time."""

    name: str
    group_calls: bool = True
    """False: a mere folder of contacts, which cannot be called."""
    speed_dial: str = ""
    recipients: tuple[str, ...] = ()
    """Ids of contacts, six at most."""
    fallback: str = ""
    notes: str = ""


class Group(GroupSpec, frozen=True, kw_only=True):
    """A stored group."""

    id: str


class CallButton(_Data, frozen=True, kw_only=True):
    """Calls > Call button."""

    enabled: bool = True
    during_call: ButtonMode = "end"
    delay: float = 5.0
    """Seconds after the start of a call in which another press does nothing (``delay``), 0..60."""
    standby_light: StandbyMode = "auto"
    """The light around the button while there is no call; ``auto``: on in the dark."""
    recipients: tuple[str, ...] = (VMS_CALL,)
    """Ids of contacts and groups, and ``VMS_CALL``."""
    fallback: str = ""


class VmsSettings(_Data, frozen=True, kw_only=True):
    """Calls > VMS calls."""

    enabled: bool = True
    """Allow calls in the video management software; SIP may be off."""
    timeout: int = 30
    """Seconds that software is called which does not answer, 1..600."""
    audio_to_network_streams: int = 0
    """Clients that hear the microphone (``audio/receive.cgi``), from which number on a call is active; 0 or less = they
    do not matter, as below."""
    audio_from_network_streams: int = 1
    """The same of clients that talk (``audio/transmit.cgi``), of which there can be one."""
    video_to_network_streams: int = 0
    """The same of video, of which the device has none yet."""


class SoundChoice(_Data, frozen=True, kw_only=True):
    """One sound of calls."""

    clip: str = ""
    """Number, name or location of an audio clip; kept as its location. Empty = the device's own tone."""
    gain: float = 0.0
    """Decibels, -40..20."""
    enabled: bool = True


class CallSounds(_Data, frozen=True, kw_only=True):
    """Calls > Audio. A change takes effect with the next call."""

    ringtone: SoundChoice = SoundChoice()
    """Somebody calls the device."""
    ringback: SoundChoice = SoundChoice()
    """Somebody is called, and his phone rings."""
    busy: SoundChoice = SoundChoice()
    declined: SoundChoice = SoundChoice()
    no_answer: SoundChoice = SoundChoice()
    failed: SoundChoice = SoundChoice()
    """Nobody was reached for another reason."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to call."""

    uri: str
    account: str
    """Id."""
    contact: str = ""
    """Id; empty = an address that was given."""
    replaces: str = ""
    """The dialogue there whose place the call takes (value of Replaces, RFC 3891); empty = none."""


class CallStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it is shown."""

    id: str
    state: CallState
    direction: CallDirection
    reason: str
    account: str
    remote_uri: str
    device_uri: str
    started: str
    """UTC, RFC 3339."""
    stopped: str = ""
    recipients: tuple[str, ...] = ()
    """Addresses that are being called, or were."""
    codec: str = ""
    type: CallType = "SIP"
    test: bool = False
    """It ends when it is answered."""
    answered: bool = False

"""RTP, RTCP reports, telephone events and SRTP in plain Python: what the native code is tested against."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple


class PlainPacket(NamedTuple):
    """The parts of an RTP packet."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    csrc: tuple[int, ...]
    extension_profile: int | None
    extension: bytes | None
    payload: bytes
    padding: int


def parse(data: bytes) -> PlainPacket | None:
    """A packet after RFC 3550 section 5.1; None when it is malformed."""
    if not 12 <= len(data) <= 65535 or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    count, at = first & 15, 12 + 4 * (first & 15)
    if len(data) < at:
        return None
    csrc = struct.unpack_from(f">{count}I", data, 12)
    profile = extension = None
    if first & 0x10:
        if len(data) < at + 4:
            return None
        profile, words = struct.unpack_from(">HH", data, at)
        extension = data[at + 4 : at + 4 + 4 * words]
        at += 4 + 4 * words
        if len(data) < at:
            return None
    padding = data[-1] if first & 0x20 else 0
    if first & 0x20 and not 1 <= padding <= len(data) - at:
        return None
    payload = data[at : len(data) - padding]
    return PlainPacket(
        second & 127, bool(second >> 7), sequence, timestamp, ssrc, csrc, profile, extension, payload, padding
    )


def elements(profile: int | None, body: bytes | None) -> dict[int, bytes]:
    """The elements of an extension after RFC 8285 section 4, as far as they hold."""
    found: dict[int, bytes] = {}
    if profile is None or body is None:
        return found
    two = profile & 0xFFF0 == 0x1000
    if not two and profile != 0xBEDE:
        return found
    at = 0
    while at < len(body):
        if body[at] == 0:
            at += 1
            continue
        if two:
            if at + 2 > len(body):
                break
            number, size, start = body[at], body[at + 1], at + 2
        else:
            number, size, start = body[at] >> 4, (body[at] & 15) + 1, at + 1
            if number in {0, 15}:
                break
        if start + size > len(body):
            break
        found[number] = body[start : start + size]
        at = start + size
    return found


def keys(packets: list[tuple[int, bytes]]) -> list[int]:
    """The keys in telephone events of one source, as (timestamp, payload): one for each new timestamp, in order."""
    newest: int | None = None
    found = []
    for timestamp, payload in packets:
        if len(payload) < 4 or len(payload) % 4:
            continue
        if newest is None or 0 < (timestamp - newest) % 2**32 < 2**31:
            found.append(payload[0])
            newest = timestamp
    return found


def _cipher(key: bytes, counter: int, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter.to_bytes(16, "big"))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def derive(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """RFC 3711 section 4.3.3, without a key derivation rate."""
    counter = (int.from_bytes(salt.ljust(14, b"\0"), "big") ^ label << 48) << 16
    return _cipher(key, counter, bytes(size))


class PlainSrtp:
    """Protects packets of one source by RFC 3711 or RFC 7714, over the ``cryptography`` package."""

    def __init__(self, profile: str, key: bytes, salt: bytes) -> None:
        self.gcm = "GCM" in profile
        self.tag = 4 if profile.endswith("_32") else 10
        self.keys = [derive(key, salt, label, size) for label, size in enumerate((16, 20, 14, 16, 20, 14))]

    def _gcm(self, keys: tuple[bytes, bytes], ssrc: int, index: int, data: bytes, aad: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key, salt = keys
        mask = ssrc << 48 | index
        nonce = (int.from_bytes(salt[:12], "big") ^ mask).to_bytes(12, "big")
        return AESGCM(key).encrypt(nonce, data, aad)

    def protect(self, packet: bytes, roc: int) -> bytes:
        """An RTP packet, with the rollover counter that holds for it."""
        plain = parse(packet)
        assert plain is not None
        key, auth, salt = self.keys[:3]
        head = len(packet) - len(plain.payload) - plain.padding
        index = roc << 16 | plain.sequence
        if self.gcm:
            return packet[:head] + self._gcm((key, salt), plain.ssrc, index, packet[head:], packet[:head])
        counter = int.from_bytes(salt, "big") << 16 ^ plain.ssrc << 64 ^ index << 16
        out = packet[:head] + _cipher(key, counter, packet[head:])
        return out + hmac.new(auth, out + roc.to_bytes(4, "big"), hashlib.sha1).digest()[: self.tag]

    def protect_rtcp(self, packet: bytes, index: int) -> bytes:
        """A compound packet, with its SRTCP index."""
        key, auth, salt = self.keys[3:]
        ssrc = int.from_bytes(packet[4:8], "big")
        word = (0x80000000 | index).to_bytes(4, "big")
        if self.gcm:
            return packet[:8] + self._gcm((key, salt), ssrc, index, packet[8:], packet[:8] + word) + word
        counter = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        out = packet[:8] + _cipher(key, counter, packet[8:]) + word
        return out + hmac.new(auth, out, hashlib.sha1).digest()[:10]

"""OSDP frames and secure channel in plain Python, as the standard words them: what the native kernel is compared with.

Slow on purpose: bit-by-bit CRC, no tables. AES comes from the ``cryptography`` package.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def crc16(data: bytes, crc: int = 0x1D0F) -> int:
    """Polynomial 0x1021, most significant bit first."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def checksum(data: bytes) -> int:
    """Two's complement of the sum."""
    return -sum(data) & 0xFF


def with_check(body: bytes, crc: bool) -> bytes:
    """A frame from what stands before its check value; fills in the length."""
    size = len(body) + (2 if crc else 1)
    body = body[:2] + size.to_bytes(2, "little") + body[4:]
    return body + (crc16(body).to_bytes(2, "little") if crc else bytes([checksum(body)]))


def encode(
    code: int,
    data: bytes = b"",
    *,
    address: int = 0,
    sequence: int = 0,
    reply: bool = False,
    crc: bool = True,
    scb: bytes = b"",
) -> bytes:
    """A frame without MAC. ``scb`` is the whole security block."""
    control = sequence | (4 if crc else 0) | (8 if scb else 0)
    head = bytes([0x53, address | (0x80 if reply else 0), 0, 0, control])
    return with_check(head + scb + bytes([code]) + data, crc)


def _cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _uncbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _block(key: bytes, data: bytes) -> bytes:
    return _cbc(key, bytes(16), data)


def _pad(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


class ReferenceSession:
    """Keys, cryptograms, MAC chain and encryption of one session, either end."""

    def __init__(self, scbk: bytes, rnd_a: bytes) -> None:
        self.rnd_a = rnd_a
        self.enc, self.mac1, self.mac2 = (
            _block(scbk, bytes([1, label]) + rnd_a[:6] + bytes(8)) for label in (0x82, 0x01, 0x02)
        )
        self.c_mac = self.r_mac = bytes(16)

    def client_cryptogram(self, rnd_b: bytes) -> bytes:
        """What the device proves with."""
        return _block(self.enc, self.rnd_a + rnd_b)

    def server_cryptogram(self, rnd_b: bytes) -> bytes:
        """What the controller proves with."""
        return _block(self.enc, rnd_b + self.rnd_a)

    def start(self, server_cryptogram: bytes) -> bytes:
        """R-MAC-I."""
        self.r_mac = _block(self.mac2, _block(self.mac1, server_cryptogram))
        return self.r_mac

    def _mac(self, data: bytes, iv: bytes) -> bytes:
        padded = data if len(data) % 16 == 0 else _pad(data)
        for at in range(0, len(padded) - 16, 16):
            iv = _cbc(self.mac1, iv, padded[at : at + 16])
        return _cbc(self.mac2, iv, padded[-16:])

    def seal(
        self,
        code: int,
        data: bytes = b"",
        *,
        address: int = 0,
        sequence: int = 0,
        reply: bool = False,
        crc: bool = True,
        null_cipher: bool = False,
    ) -> bytes:
        """A secured frame; ``null_cipher`` leaves the data in clear, which receivers must refuse."""
        other = self.c_mac if reply else self.r_mac
        kind = 0x15 + reply + (2 if data and not null_cipher else 0)
        body = data
        if data and not null_cipher:
            body = _cbc(self.enc, bytes(byte ^ 0xFF for byte in other), _pad(data))
        size = 8 + len(body) + 4 + (2 if crc else 1)
        head = bytes([0x53, address | (0x80 if reply else 0)]) + size.to_bytes(2, "little")
        signed = head + bytes([sequence | (4 if crc else 0) | 8, 2, kind, code]) + body
        mac = self._mac(signed, other)
        if reply:
            self.r_mac = mac
        else:
            self.c_mac = mac
        return with_check(signed + mac[:4], crc)

    def open(self, frame: bytes) -> bytes | None:
        """The data of a secured frame; None when the MAC does not hold."""
        reply, crc = bool(frame[1] & 0x80), bool(frame[4] & 4)
        signed, mac = frame[: -6 if crc else -5], frame[-6:-2] if crc else frame[-5:-1]
        other = self.c_mac if reply else self.r_mac
        found = self._mac(signed, other)
        if found[:4] != mac:
            return None
        if reply:
            self.r_mac = found
        else:
            self.c_mac = found
        if frame[6] < 0x17:
            return signed[8:]
        plain = _uncbc(self.enc, bytes(byte ^ 0xFF for byte in other), signed[8:])
        return plain[: plain.rindex(0x80)]

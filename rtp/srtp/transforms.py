"""Packets under one master key: authenticated and decrypted, reports of our own protected.

What opens a packet gives None for one that was not made with this key.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha1
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from rtp.srtp.keys import Key

_CONTROL_HEADER = 8
_ENCRYPTED = 1 << 31
_CONTROL_TAG = 10
_HMAC_KEY = 20
_BLOCK = 64
"""Octets of SHA-1."""


class Transform(Protocol):
    """What a suite does with a master key."""

    def open(self, packet: bytes, header: int, index: int) -> bytes | None:
        """Return the clear payload of an SRTP packet, padding and all.

        Args:
            header: octets in front of the payload: fixed header, CSRC list, extension.
            index: rollover counter and sequence number, 48 bits.
        """

    def open_control(self, packet: bytes) -> tuple[int, bytes] | None:
        """Return the index of an SRTCP packet and the RTCP packet in it."""

    def protect_control(self, packet: bytes, index: int) -> bytes:
        """Return an RTCP packet as SRTCP, encrypted.

        Args:
            index: 31 bits, never the same again for its SSRC under this key.
        """


def transform(key: Key) -> Transform:
    """Return what opens packets under a key."""
    return Galois(key) if key.suite.galois else Counter(key)


def derive(key: Key, label: int, octets: int) -> bytes:
    """Return a session key (RFC 3711 §4.3; a salt of 96 bits is padded, RFC 7714 §11); keys are derived once."""
    master, salt = key.octets[: key.suite.key], key.octets[key.suite.key :].ljust(14, b"\0")
    start = (int.from_bytes(salt) ^ label << 48) << 16
    return Cipher(AES(master), CTR(start.to_bytes(16))).encryptor().update(bytes(octets))


class _Mac:
    """HMAC-SHA1 (RFC 2104) with its two inner states prepared: half the time of the one in `hmac`."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(_BLOCK, b"\0")
        self._inner, self._outer = (sha1(bytes(octet ^ pad for octet in padded)) for pad in (0x36, 0x5C))

    def tag(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    def matches(self, message: bytes, tag: bytes) -> bool:
        return hmac.compare_digest(self.tag(message)[: len(tag)], tag)


@dataclass(frozen=True, slots=True)
class _Parts:
    """An SRTP or SRTCP packet taken apart."""

    body: bytes
    tag: bytes


class Counter:
    """AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1)."""

    def __init__(self, key: Key) -> None:
        self._mki, self._tag = key.mki, key.suite.tag
        self.rtp, self.control = (self._session(key, first) for first in (0, 3))

    @staticmethod
    def _session(key: Key, first: int) -> "_CounterKeys":
        cipher = Cipher(AES(derive(key, first, key.suite.key)), CTR(bytes(16)))
        return _CounterKeys(cipher, _Mac(derive(key, first + 1, _HMAC_KEY)), derive(key, first + 2, 14))

    def open(self, packet: bytes, header: int, index: int) -> bytes | None:
        parts = self._apart(packet, self._tag)
        if parts is None or len(parts.body) < header:
            return None
        if not self.rtp.mac.matches(parts.body + (index >> 16).to_bytes(4), parts.tag):
            return None
        return self.rtp.crypt(packet[8:12], index, parts.body[header:])

    def open_control(self, packet: bytes) -> tuple[int, bytes] | None:
        parts = self._apart(packet, _CONTROL_TAG)
        if parts is None or len(parts.body) < _CONTROL_HEADER + 4:
            return None
        if not self.control.mac.matches(parts.body, parts.tag):
            return None
        body, word = parts.body[:-4], int.from_bytes(parts.body[-4:])
        index = word & ~_ENCRYPTED
        return index, self._crypt_control(body, index) if word & _ENCRYPTED else body

    def protect_control(self, packet: bytes, index: int) -> bytes:
        body = self._crypt_control(packet, index) + (_ENCRYPTED | index).to_bytes(4)
        return body + self._mki + self.control.mac.tag(body)[:_CONTROL_TAG]

    def _crypt_control(self, packet: bytes, index: int) -> bytes:
        return packet[:_CONTROL_HEADER] + self.control.crypt(packet[4:8], index, packet[_CONTROL_HEADER:])

    def _apart(self, packet: bytes, tag: int) -> _Parts | None:
        """The MKI stands between what is authenticated and the tag (RFC 3711 §3.1)."""
        end = len(packet) - tag - len(self._mki)
        if end < 0 or packet[end : len(packet) - tag] != self._mki:
            return None
        return _Parts(packet[:end], packet[len(packet) - tag :])


class _CounterKeys:
    def __init__(self, cipher: Cipher[CTR], mac: _Mac, salt: bytes) -> None:
        self._stream, self.mac = cipher.encryptor(), mac
        self._salt = int.from_bytes(salt) << 16

    def crypt(self, ssrc: bytes, index: int, octets: bytes) -> bytes:
        start = self._salt ^ int.from_bytes(ssrc) << 64 ^ index << 16
        self._stream.reset_nonce(start.to_bytes(16))
        return self._stream.update(octets)


class Galois:
    """AES in Galois/Counter Mode (RFC 7714)."""

    def __init__(self, key: Key) -> None:
        self._mki = key.mki
        self._rtp, self._control = (AESGCM(derive(key, first, key.suite.key)) for first in (0, 3))
        self._salts = tuple(int.from_bytes(derive(key, label, 12)) for label in (2, 5))

    def open(self, packet: bytes, header: int, index: int) -> bytes | None:
        body = self._without_mki(packet)
        if body is None:
            return None
        nonce = int.from_bytes(packet[8:12]) << 48 ^ index ^ self._salts[0]
        return _opened(self._rtp, nonce, body[header:], body[:header])

    def open_control(self, packet: bytes) -> tuple[int, bytes] | None:
        body = self._without_mki(packet)
        if body is None or len(body) < _CONTROL_HEADER + 20:
            return None
        sealed, word = body[:-4], body[-4:]
        index = int.from_bytes(word) & ~_ENCRYPTED
        clear = _CONTROL_HEADER if int.from_bytes(word) & _ENCRYPTED else len(sealed) - 16
        opened = _opened(self._control, self._control_nonce(packet, index), sealed[clear:], sealed[:clear] + word)
        return None if opened is None else (index, sealed[:clear] + opened)

    def protect_control(self, packet: bytes, index: int) -> bytes:
        header, word = packet[:_CONTROL_HEADER], (_ENCRYPTED | index).to_bytes(4)
        nonce = self._control_nonce(packet, index).to_bytes(12)
        return header + self._control.encrypt(nonce, packet[_CONTROL_HEADER:], header + word) + word + self._mki

    def _control_nonce(self, packet: bytes, index: int) -> int:
        return int.from_bytes(packet[4:8]) << 48 ^ index ^ self._salts[1]

    def _without_mki(self, packet: bytes) -> bytes | None:
        """The MKI stands at the very end (RFC 7714 §8.2)."""
        return packet[: len(packet) - len(self._mki)] if packet.endswith(self._mki) else None


def _opened(cipher: AESGCM, nonce: int, sealed: bytes, beside: bytes) -> bytes | None:
    try:
        return cipher.decrypt(nonce.to_bytes(12), sealed, beside)
    except InvalidTag:
        return None

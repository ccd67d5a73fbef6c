"""Reading what is sealed with age (age-encryption.org/v1) from any place in it, without ever having all of it in clear.

age encrypts in chunks of 64 KiB, so that the chunk of a place can be opened alone.
"""

import io
import re
from base64 import b64decode
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from srs.archive.errors import Sealed

CHUNK: Final = 1 << 16
_TAG: Final = 16
_NONCE: Final = 16
_MOST_HEADER: Final = 1 << 16
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_HEADER: Final = re.compile(rb"(age-encryption\.org/v1\n(?:->.*\n(?:.+\n)*?.{0,63}\n)+?---) ([A-Za-z0-9+/]{43})\n")
_STANZA: Final = re.compile(rb"-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n")


class CannotOpen(Sealed):
    """It is not sealed for this identity, or it was damaged or cut off."""


def unsealed(source: BinaryIO, identity: str) -> BinaryIO:
    """What is in a sealed file, seekable; `source`, which must be seekable too, is closed with it.

    Args:
        identity: as `age-keygen` writes it: `AGE-SECRET-KEY-1…`.

    Raises:
        CannotOpen: see there. Reading raises it too, of a chunk that was changed.
    """
    key, start = _file_key(source.read(_MOST_HEADER), X25519PrivateKey.from_private_bytes(_secret(identity)))
    return cast("BinaryIO", io.BufferedReader(_Chunks(source, key, start), CHUNK))


def _secret(identity: str) -> bytes:
    """The octets of a Bech32 text (BIP 173); its checksum is not looked at: a wrong key opens nothing."""
    digits = [_BECH32.find(letter) for letter in identity.strip().lower().rpartition("1")[2][:-6]]
    if len(digits) != 52 or min(digits) < 0:
        raise CannotOpen("the identity is none of age")
    number = 0
    for digit in digits:
        number = number << 5 | digit
    return (number >> 4).to_bytes(32, "big")


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def _file_key(head: bytes, identity: X25519PrivateKey) -> tuple[bytes, int]:
    """The key of a file, by the stanza that is for us, and where its payload begins."""
    found = _HEADER.match(head)
    if found is None:
        raise CannotOpen("it is not sealed with age")
    for share, body in _STANZA.findall(found[1]):
        key = _unwrapped(b64decode(share + b"="), b64decode(body + b"="), identity)
        if key is not None:
            mac = HMAC(_derived(key, b"", b"header"), SHA256())
            mac.update(found[1])
            try:
                mac.verify(b64decode(found[2] + b"="))
            except InvalidSignature:
                raise CannotOpen("its header was changed") from None
            return key, found.end()
    raise CannotOpen("it is sealed for others")


def _unwrapped(share: bytes, body: bytes, identity: X25519PrivateKey) -> bytes | None:
    salt = share + identity.public_key().public_bytes_raw()
    try:
        secret = identity.exchange(X25519PublicKey.from_public_bytes(share))
        wrap = _derived(secret, salt, b"age-encryption.org/v1/X25519")
        return ChaCha20Poly1305(wrap).decrypt(bytes(12), body, None)
    except (InvalidTag, ValueError):
        return None


class _Chunks(io.RawIOBase):
    """The payload (STREAM): each chunk with its number and whether it is the last in its nonce."""

    def __init__(self, source: BinaryIO, key: bytes, start: int) -> None:
        self._source, self._start = source, start + _NONCE
        source.seek(start)
        self._cipher = ChaCha20Poly1305(_derived(key, source.read(_NONCE), b"payload"))
        sealed = source.seek(0, io.SEEK_END) - self._start
        self._last = max(-(-sealed // (CHUNK + _TAG)) - 1, 0)
        self._size = sealed - _TAG * (self._last + 1)
        self._at, self._held = 0, (-1, b"")
        self._chunk(self._last)  # which opens as the last one only if nothing was cut off

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._source.seek(self._start + number * (CHUNK + _TAG))
            nonce = number.to_bytes(11, "big") + bytes([number == self._last])
            try:
                opened = self._cipher.decrypt(nonce, self._source.read(CHUNK + _TAG), None)
            except (InvalidTag, ValueError):
                raise CannotOpen("sealed sound was damaged or cut off") from None
            self._held = number, opened
        return self._held[1]

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number, offset = divmod(self._at, CHUNK)
        if self._at >= self._size:
            return 0
        piece = self._chunk(number)[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

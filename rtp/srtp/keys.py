"""Crypto suites and master keys."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Suite:
    """A crypto suite as SDES names it (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2); sizes in octets."""

    name: str
    key: int
    salt: int
    tag: int
    """Behind an RTP packet. That of SRTCP has ten octets with HMAC, sixteen with GCM."""
    galois: bool

    @property
    def octets(self) -> int:
        """Of a master key with its salt."""
        return self.key + self.salt


SUITES = {
    suite.name: suite
    for suite in (
        Suite("AEAD_AES_256_GCM", 32, 12, 16, galois=True),
        Suite("AEAD_AES_128_GCM", 16, 12, 16, galois=True),
        Suite("AES_256_CM_HMAC_SHA1_80", 32, 14, 10, galois=False),
        Suite("AES_256_CM_HMAC_SHA1_32", 32, 14, 4, galois=False),
        Suite("AES_CM_128_HMAC_SHA1_80", 16, 14, 10, galois=False),
        Suite("AES_CM_128_HMAC_SHA1_32", 16, 14, 4, galois=False),
    )
}


@dataclass(frozen=True, slots=True)
class Key:
    """A master key of one sender."""

    suite: Suite
    octets: bytes = field(repr=False)
    """Key and salt."""
    mki: bytes = b""
    """Master key identifier that every packet under it carries; b"": none."""

    def __post_init__(self) -> None:
        if len(self.octets) != self.suite.octets:
            raise ValueError(
                f"{self.suite.name} has {self.suite.octets} octets of key and salt, not {len(self.octets)}"
            )

    def __hash__(self) -> int:
        return hash(self.octets)  # which is worked out once


Epoch = tuple[int, tuple[Key, ...]]
"""(since when, UTC in nanoseconds; the keys that a sender may use, none: it sends plain RTP)."""

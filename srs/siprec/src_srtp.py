"""SRTP of our SRC, by libsrtp: not what the recorder opens it with, so that each tests the other."""

import secrets
from collections.abc import Callable

from pylibsrtp import Policy, Session

from rtp.srtp import SUITES, Key
from srs.siprec.sdes import Crypto

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


def offered(suite: str) -> Crypto:
    """A line to offer, with a new key; `suite` is one of PROFILES."""
    return Crypto("1", SUITES[suite], (Key(SUITES[suite], secrets.token_bytes(SUITES[suite].octets)),))


def protector(crypto: Crypto) -> Callable[[bytes], bytes]:
    """What makes SRTP of the RTP packets of one leg, in order or not, the same twice too."""
    policy = Policy(crypto.keys[0].octets, Policy.SSRC_ANY_OUTBOUND, 0, PROFILES[crypto.suite.name])
    policy.allow_repeat_tx = True
    protect: Callable[[bytes], bytes] = Session(policy).protect
    return protect

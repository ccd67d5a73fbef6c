"""When SRTP is taken, refused or demanded."""

import pytest

from srs.capture.admission import Refusal
from srs.capture.security import Srtp, check, policy
from srs.config import PeerSettings
from srs.siprec.sdp import Sdp, parse

PLAIN, SECURE, REMOVED, DTLS = (
    "m=audio 9 RTP/AVP 0",
    "m=audio 9 RTP/SAVP 0",
    "m=audio 0 RTP/AVP 0",
    "m=audio 9 UDP/TLS/RTP/SAVP 0",
)


def sdp(*lines: str) -> Sdp:
    return parse("\r\n".join(["v=0", *lines, ""]).encode())


@pytest.mark.parametrize(
    ("options", "transport", "expected"),
    [
        ({}, "UDP", Srtp.REFUSED),
        ({}, "TCP", Srtp.REFUSED),
        ({}, "TLS", Srtp.TAKEN),
        ({"keys_in_clear": True}, "UDP", Srtp.TAKEN),
        ({"require": "tls"}, "TLS", Srtp.TAKEN),
        ({"require": "srtp"}, "TLS", Srtp.DEMANDED),
    ],
)
def test_policy(options, transport, expected):
    assert policy(PeerSettings(name="SBC", **options), transport) is expected


@pytest.mark.parametrize(
    ("srtp", "offered", "words"),
    [
        (Srtp.REFUSED, sdp(SECURE), "over TLS only"),
        (Srtp.REFUSED, sdp(PLAIN, SECURE), "over TLS only"),
        (Srtp.REFUSED, sdp(PLAIN), None),
        (Srtp.REFUSED, None, None),
        (Srtp.TAKEN, sdp(PLAIN, SECURE), None),
        (Srtp.TAKEN, None, None),
        (Srtp.DEMANDED, sdp(SECURE, REMOVED), None),
        (Srtp.DEMANDED, sdp(SECURE, PLAIN), "demanded"),
        (Srtp.DEMANDED, sdp(DTLS), "demanded"),
        (Srtp.DEMANDED, None, "demanded"),
    ],
)
def test_check(srtp, offered, words):
    if words is None:
        check(srtp, offered)
        return
    with pytest.raises(Refusal, match=words) as caught:
        check(srtp, offered)
    assert caught.value.status == 488

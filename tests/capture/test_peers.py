import pytest

from srs.capture import peers
from srs.capture.admission import Refusal
from srs.capture.peers import EVERYBODY, Caller, find, note, recognises
from srs.config import PeerSettings
from srs.sip.digest import Digest
from srs.sip.errors import SipError
from srs.sip.message import make_request
from srs.siprec.body import Body
from srs.siprec.sdp import parse

SBC = Caller("192.0.2.7", "TLS", ("sbc.example.com",), "sip:700@sbc.example.com")


def profile(**settings):
    return PeerSettings(name="SBC", **settings)


def invite(contact="<sip:src@192.0.2.7>", *headers):
    return make_request("INVITE", "sip:srs@192.0.2.1", [("Contact", contact), *headers])


def sdp(*lines):
    return parse(
        ("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n" + "\r\n".join(lines)).encode()
    )


def test_without_profiles_everybody_is_welcome():
    assert find([], SBC) is EVERYBODY


@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ({}, True),
        ({"address": ["192.0.2.0/24"]}, True),
        ({"address": ["198.51.100.0/24", "2001:db8::/32"]}, False),
        ({"certificate": ["SBC.example.com"]}, True),
        ({"certificate": ["other.example.com"]}, False),
        ({"from_uri": "sip:*@SBC.example.com"}, True),
        ({"from_uri": "sip:8*"}, False),
        ({"address": ["192.0.2.0/24"], "certificate": ["other.example.com"]}, False),
    ],
)
def test_all_criteria_must_hold(settings, fits):
    if fits:
        assert find([profile(**settings)], SBC).name == "SBC"
    else:
        with pytest.raises(Refusal) as caught:
            find([profile(**settings)], SBC)
        assert caught.value.status == 403


def test_the_first_that_fits_holds():
    assert find([profile(address=["198.51.100.0/24"]), PeerSettings(name="all"), profile()], SBC).name == "all"


def test_a_demand_for_tls():
    digest, plain = Digest("r", b"s"), Caller("192.0.2.7", "TCP", (), "sip:700@sbc.example.com")
    peers.check(profile(require="tls"), SBC, invite(), digest, 0)
    with pytest.raises(Refusal, match="TLS"):
        peers.check(profile(require="tls"), plain, invite(), digest, 0)


def test_a_demand_for_a_password():
    with pytest.raises(SipError) as caught:
        peers.check(profile(user="sbc", password="secret"), SBC, invite(), Digest("r", b"s"), 0)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("contact", "headers", "metadata", "expected"),
    [
        ("<sip:a@b>;+sip.src", [("Require", "siprec")], None, ("strict", "relaxed", "plain")),
        ("<sip:a@b>", [("Require", "siprec")], None, ("relaxed", "plain")),
        ("<sip:a@b>;+sip.src", [], None, ("relaxed", "plain")),
        ("<sip:a@b;+sip.src>", [], None, ("relaxed", "plain")),
        ("<sip:a@b;+sip.src>", [("Require", "siprec")], None, ("relaxed", "plain")),
        ("<sip:a@b>;src", [], None, ("relaxed", "plain")),
        ("<sip:a@b>;src;q=1", [], None, ("relaxed", "plain")),
        ("<sip:a@b>", [], b"<recording/>", ("relaxed", "plain")),
        ("<sip:src@b>", [], None, ("plain",)),
    ],
)
def test_recognition(contact, headers, metadata, expected):
    request = invite(contact, *headers)
    modes = ("strict", "relaxed", "plain")
    assert tuple(m for m in modes if recognises(profile(recognition=m), request, Body(metadata=metadata))) == expected


def test_what_the_capture_keeps():
    assert note(EVERYBODY) is None
    assert note(profile(purpose="quality; training", tags=["a", "b=c"])) == (
        "peer;name=SBC;purpose=quality%3B%20training;tag=a;tag=b%3Dc"
    )

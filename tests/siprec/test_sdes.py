"""a=crypto lines as RFC 4568 writes them and as clients do."""

import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.srtp import SUITES, Key
from srs.siprec.sdes import Crypto, acceptable, agreed, answered
from srs.siprec.sdp import parse

KEY = b64encode(bytes(range(30))).decode()
LONG = b64encode(bytes(range(46))).decode()
CM = "AES_CM_128_HMAC_SHA1_80"


def line(*crypto, transport="RTP/SAVP", port=4000):
    lines = ["v=0", f"m=audio {port} {transport} 0", *(f"a=crypto:{value}" for value in crypto)]
    return parse("\r\n".join([*lines, ""]).encode()).media[0]


@pytest.mark.parametrize(
    ("parameters", "mki"),
    [
        ("", b""),
        ("|2^20", b""),
        ("|1048576", b""),
        ("|2^20|1:4", b"\0\0\0\1"),
        ("|513:2", b"\2\1"),
        ("|2^48|1:1", b"\1"),
    ],
)
def test_lifetime_and_mki(parameters, mki):
    (crypto,) = acceptable(line(f"1 {CM} inline:{KEY}{parameters}"))
    assert crypto == Crypto("1", SUITES[CM], (Key(SUITES[CM], bytes(range(30)), mki),))


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_and_base64_without_padding(name):
    octets = bytes(range(SUITES[name].octets))
    for text in (b64encode(octets).decode(), b64encode(octets).decode().rstrip("=")):
        (crypto,) = acceptable(line(f"3 {name.lower()} INLINE:{text}"))
        assert (crypto.tag, crypto.suite.name, crypto.keys[0].octets) == ("3", name, octets)


@pytest.mark.parametrize(
    "value",
    [
        f"1 F8_128_HMAC_SHA1_80 inline:{KEY}",
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}",
        f"1 {CM} inline:{LONG}",
        f"1 {CM} inline:{KEY} UNENCRYPTED_SRTCP",
        f"1 {CM} inline:{KEY} UNENCRYPTED_SRTP",
        f"1 {CM} inline:{KEY} WSH=128 KDR=24",
        f"1 {CM} inline:{KEY} FEC_ORDER=FEC_SRTP",
        f"1 {CM} inline:{KEY}|2^49",
        f"1 {CM} inline:{KEY}|0",
        f"1 {CM} inline:{KEY}|1:129",
        f"1 {CM} inline:{KEY}|1:0",
        f"1 {CM} inline:{KEY}|256:1",
        f"1 {CM} inline:{KEY};inline:{KEY}",
        f"1 {CM} inline:{KEY}|1:1;inline:{KEY}|1:1",
        f"1 {CM} inline:{KEY}|1:1;inline:",
        f"1 {CM} uri:https://example.com/key",
        f"1 {CM} inline:%%%%",
        f"{CM} inline:{KEY}",
        f"1 {CM}",
        "",
    ],
)
def test_what_is_not_understood_is_not_chosen(value):
    good = f"9 {CM} inline:{KEY}"
    assert [crypto.tag for crypto in acceptable(line(value, good))] == ["9"]


@pytest.mark.parametrize("parameters", ["WSH=64", "wsh=128", "-NEW", "WSH=64 -x=y"])
def test_parameters_that_ask_nothing_of_us(parameters):
    assert len(acceptable(line(f"1 {CM} inline:{KEY} {parameters}"))) == 1


def test_several_keys_with_their_mkis():
    other = b64encode(bytes(30)).decode()
    (crypto,) = acceptable(line(f"1 {CM} inline:{KEY}|2^20|1:1;inline:{other}|2^20|2:1"))
    assert [(key.octets, key.mki) for key in crypto.keys] == [(bytes(range(30)), b"\1"), (bytes(30), b"\2")]


def test_the_client_s_keys_are_those_of_the_tag_that_was_answered():
    other = b64encode(bytes(30)).decode()
    offered = line(f"1 AES_256_CM_HMAC_SHA1_80 inline:{LONG}", f"2 {CM} inline:{KEY}")
    assert agreed(offered, line(f"2 {CM} inline:{other}")) == (Key(SUITES[CM], bytes(range(30))),)
    assert agreed(offered, line(f"5 {CM} inline:{other}")) == ()
    assert agreed(offered, line(f"2 {CM} inline:{other}", port=0)) == ()
    assert agreed(offered, line(f"2 {CM} inline:{other}", transport="RTP/AVP")) == ()
    assert agreed(None, line(f"2 {CM} inline:{other}")) == ()


def test_keys_are_in_no_text_that_is_meant_for_people():
    assert "keys" not in repr(acceptable(line(f"1 {CM} inline:{KEY}"))[0])


@given(st.text(max_size=80))
def test_no_line_breaks_the_reader(value):
    acceptable(line(re.sub(r"[\r\n]", " ", value)))


@pytest.mark.parametrize("name", SUITES)
def test_what_is_answered_can_be_read_again(name):
    offered = line(f"4 {name} inline:{b64encode(bytes(SUITES[name].octets)).decode()}|2^31|7:2")
    made = answered(offered, None, lambda count: b"\7" * count)
    assert made is not None
    assert acceptable(line(str(made))) == (made,)
    assert made.keys == (Key(SUITES[name], b"\7" * SUITES[name].octets),)

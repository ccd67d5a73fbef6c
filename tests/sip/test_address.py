"""Addresses, URIs, and URLs to listen on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.address import Address, ListenAddress, ListenError, Uri, host_port


@pytest.mark.parametrize(
    ("text", "uri", "name", "tag"),
    [
        ("<sip:a@b>;tag=x~y", "sip:a@b", "", "x~y"),
        ("sip:a@b;tag=x", "sip:a@b", "", "x"),
        ("Alice <sip:a@b;tag=no>;TAG=x", "sip:a@b;tag=no", "Alice", "x"),
        (r'"A \"<b>; \\" <sip:a@b> ; tag = x', "sip:a@b", r'A "<b>; ' + "\\", "x"),
        ("<sip:a@b", "sip:a@b", "", ""),
        ('"open <sip:a@b>;tag=x', "sip:a@b", '"open', "x"),
        ("", "", "", ""),
        ("<sip:a@b?Subject=x>;tag=", "sip:a@b?Subject=x", "", ""),
    ],
)
def test_parse(text, uri, name, tag):
    address = Address.parse(text)
    assert (address.uri, address.name, address.tag) == (uri, name, tag)


@given(st.text(st.characters(exclude_categories=["Cs"])).map(str.strip))
def test_names_round_trip(name):
    address = Address("sip:a@b", name, {"tag": "x"})
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("contact", "usable"),
    [
        ("<sip:a@1.2.3.4:5060>;+sip.src", True),
        ("<sip:a@1.2.3.4;+sip.src>", True),
        ("sip:1.2.3.4", True),
        ("<<sip:a@1.2.3.4>;+sip.src>", False),
        ("*", False),
        ("", False),
    ],
)
def test_targets(contact, usable):
    assert Address.parse(contact).is_target == usable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:a@b", Uri("sip", "a", "b", None, {})),
        ("SIPS:host:5061;lr", Uri("sips", "", "host", 5061, {"lr": None})),
        ("sip:u;x=y:p@[::1]:7;transport=TCP?a=b", Uri("sip", "u;x=y:p", "::1", 7, {"transport": "TCP"})),
        ("tel:+3120;ext=1", Uri("tel", "", "+3120", None, {"ext": "1"})),
        ("nonsense", Uri("", "", "nonsense", None, {})),
    ],
)
def test_uri(text, expected):
    assert Uri.parse(text) == expected


@given(st.text())
def test_any_text_is_taken(text):
    Uri.parse(text)
    str(Address.parse(text))


def test_literals():
    assert [Uri.parse(f"sip:{host}").literal for host in ("1.2.3.4", "[::1]", "pbx", "1.2.3")] == [
        True,
        True,
        False,
        False,
    ]
    assert [host_port(("::1", 1)), host_port(("1.2.3.4", 2))] == ["[::1]:1", "1.2.3.4:2"]


@pytest.mark.parametrize("url", ["udp://0.0.0.0:5060", "tcp://[::1]:0", "udp://[fe80::1]:5070"])
def test_listen_round_trip(url):
    assert str(ListenAddress.parse(url)) == url


def test_listen_default_port():
    assert ListenAddress.parse("UDP://127.0.0.1").address == ("127.0.0.1", 5060)


@pytest.mark.parametrize(
    "url", [":5060", "5060", "udp://", "sctp://1.2.3.4", "udp://1.2.3.4:70000", "udp://h:x", "udp://h/p"]
)
def test_listen_nonsense(url):
    with pytest.raises(ListenError, match=url):
        ListenAddress.parse(url)

"""Parameter lists and comma lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip import parameters

NAMES = st.from_regex(r"[a-z+.][a-z0-9.+-]{0,8}", fullmatch=True)
VALUES = (
    st.none()
    | st.from_regex(r"[A-Za-z0-9~:.\[\]]{1,9}", fullmatch=True)
    | st.from_regex(r'"[a-z;,=<> ]*"', fullmatch=True)
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_round_trip(values):
    assert parameters.parse(parameters.render(values)) == values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (";Tag=aBc", {"tag": "aBc"}),
        (" ; tag = a ; lr ", {"tag": "a", "lr": None}),
        (";;a=1;", {"a": "1"}),
        (";a=", {"a": ""}),
        (";received=2001:db8::1", {"received": "2001:db8::1"}),
        (';x="a;b=c";y', {"x": '"a;b=c"', "y": None}),
        ("", {}),
    ],
)
def test_parse(text, expected):
    assert parameters.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        ('"x, y" <sip:a,b@c;d=",">;t, <sip:e>', ['"x, y" <sip:a,b@c;d=",">;t', "<sip:e>"]),
        (r'"quoted \", comma" <sip:a>, b', [r'"quoted \", comma" <sip:a>', "b"]),
        (",, ,", []),
        ("", []),
        ("<a", ["<a"]),
    ],
)
def test_split_list(text, expected):
    assert parameters.split_list(text) == expected


@given(st.text())
def test_only_commas_and_blanks_go(text):
    parameters.parse(text)
    left = "".join(parameters.split_list(text))
    assert [c for c in left if c != "," and not c.isspace()] == [c for c in text if c != "," and not c.isspace()]


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ["," * 60000, "<" * 60000 + ",", ';x="' * 20000, '"' * 60001 + ",", "\\" * 60000 + ","]
)
def test_long_texts_take_no_long_time(text):
    parameters.parse(text)
    parameters.split_list(text)

import pytest

from srs.sip.headers import Headers


@pytest.fixture
def headers():
    made = Headers()
    for name, value in (("Via", "a"), ("To", "b"), ("VIA", "c"), ("x-Own", "d")):
        made.add(name, value)
    return made


def test_fields_are_found_whatever_the_case(headers):
    assert headers.get("via") == headers["vIA"] == "a"
    assert headers.getlist("Via") == ["a", "c"]
    assert headers.get("From") is None
    assert headers.get("From", "none") == "none"
    assert headers.getlist("From") == []
    with pytest.raises(KeyError):
        headers["From"]


def test_the_text_keeps_order_and_first_names(headers):
    assert str(headers) == "Via: a\r\nVia: c\r\nTo: b\r\nx-Own: d\r\n\r\n"
    assert headers.keys() == ["Via", "To", "x-Own"]


def test_setting_replaces_all_lines_in_their_place(headers):
    headers.set("via", "e")
    headers.set("Subject", "f")
    headers.setlist("X-OWN", ["g", "h"])
    assert str(headers) == "via: e\r\nTo: b\r\nX-OWN: g\r\nX-OWN: h\r\nSubject: f\r\n\r\n"

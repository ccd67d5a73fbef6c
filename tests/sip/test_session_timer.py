import pytest

from srs.sip.errors import SipError
from srs.sip.message import make_request, response
from srs.sip.session_timer import SessionTimer, negotiate, renewed


def invite(*headers):
    return make_request("INVITE", "sip:srs@127.0.0.1", headers)


def test_no_session_expires_no_timer():
    assert negotiate(invite(("Supported", "timer"))) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Supported", "timer"), ("Session-Expires", "1800")], SessionTimer(1800, ours=False, told=True)),
        ([("Supported", "100rel, Timer"), ("Session-Expires", "90;refresher=uac")], SessionTimer(90, False, True)),
        ([("Supported", "timer"), ("Session-Expires", "1800;refresher=UAS")], SessionTimer(1800, True, True)),
        ([("Require", "siprec, timer"), ("Session-Expires", " 1800 ; refresher=uac")], SessionTimer(1800, False, True)),
        ([("Session-Expires", "1800;refresher=uac")], SessionTimer(1800, ours=True, told=False)),  # RFC 4028 table 2
        ([("Session-Expires", "60")], SessionTimer(90, ours=True, told=False)),  # §8.1: no 422 without support
    ],
)
def test_what_is_agreed(headers, expected):
    assert negotiate(invite(*headers)) == expected


def test_too_short():
    with pytest.raises(SipError) as caught:
        negotiate(invite(("Supported", "timer"), ("Session-Expires", "89")))
    assert caught.value.status == 422
    assert caught.value.headers == (("Min-SE", "90"),)


@pytest.mark.parametrize("value", ["", "soon", "-5", ";refresher=uac"])
def test_unreadable_counts_as_none(value):
    assert negotiate(invite(("Supported", "timer"), ("Session-Expires", value))) is None


@pytest.mark.parametrize(("interval", "end"), [(1800, 1768.0), (90, 60.0), (96, 64.0), (120, 88.0)])
def test_the_end_comes_before_expiry(interval, end):
    timer = SessionTimer(interval, ours=False, told=True)
    assert (timer.refresh_s, timer.end_s) == (interval / 2, end)


def test_the_2xx_tells_it():
    request = invite(("Call-ID", "1"), ("Supported", "timer"))
    answer = response(request, 200)
    SessionTimer(1800, ours=False, told=True).put(answer)
    assert answer.headers["Session-Expires"] == "1800;refresher=uac"
    assert answer.headers["Require"] == "timer"


def test_no_require_for_a_client_that_does_not_know_timers():
    answer = response(invite(), 200)
    SessionTimer(1800, ours=True, told=False).put(answer)
    assert answer.headers["Session-Expires"] == "1800;refresher=uas"
    assert answer.headers.get("Require") is None


def test_our_refresh_may_end_the_timer():
    answer = response(invite(), 200)
    assert renewed(answer) is None
    answer.headers.set("Session-Expires", "600;refresher=uac")
    assert renewed(answer) == 600

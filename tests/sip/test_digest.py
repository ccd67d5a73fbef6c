import hashlib

import pytest

from srs.sip.digest import NONCE_S, Digest, answer, parse
from srs.sip.errors import SipError
from srs.sip.message import make_request

DIGEST = Digest("recorder", b"secret")


def invite(authorization=None):
    request = make_request("INVITE", "sip:srs@example.com", [])
    if authorization is not None:
        request.headers.add("Authorization", authorization)
    return request


def refused(request, now=0.0, user="sbc", password="open sesame"):
    with pytest.raises(SipError) as caught:
        DIGEST.check(request, user, password, now)
    return caught.value


def challenge(algorithm, now=0.0):
    headers = refused(invite(), now).headers
    return next(parse(value) for _, value in headers if f"algorithm={algorithm}," in value)


def authorization(asked, *, password="open sesame", user="sbc", **changed):
    given = {**asked, "username": user, "uri": "sip:srs@example.com", "nc": "00000001", "cnonce": "c", **changed}
    given.pop("stale", None)
    response = answer(given, "INVITE", password, b"")
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in {**given, "response": response}.items())


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_who_knows_the_password_may(algorithm):
    DIGEST.check(invite(authorization(challenge(algorithm))), "sbc", "open sesame", 1.0)


def test_both_algorithms_are_offered_the_better_first():
    error = refused(invite())
    assert error.status == 401
    assert [parse(value)["algorithm"] for _, value in error.headers] == ["SHA-256", "MD5"]


@pytest.mark.parametrize("wrong", [{"password": "close"}, {"user": "other"}])
def test_who_does_not_may_not(wrong):
    assert refused(invite(authorization(challenge("MD5"), **wrong))).status == 403


def test_only_what_is_offered_is_taken():
    given = invite(authorization(challenge("MD5")))
    with pytest.raises(SipError) as caught:
        DIGEST.check(given, "sbc", "open sesame", 1.0, ["SHA-256"])
    assert [parse(value)["algorithm"] for _, value in caught.value.headers] == ["SHA-256"]


def test_an_old_nonce_is_stale():
    given = authorization(challenge("MD5"))
    DIGEST.check(invite(given), "sbc", "open sesame", NONCE_S - 1)
    error = refused(invite(given), NONCE_S)
    assert error.status == 401
    assert "stale=true" in error.headers[0][1]


@pytest.mark.parametrize("nonce", ["", "abc", "0-0", "-", "zz-\udc80", "0-" + "0" * 32])
def test_a_nonce_of_another_hand(nonce):
    assert refused(invite(authorization(challenge("MD5"), nonce=nonce))).status == 401


@pytest.mark.parametrize(
    "value", ["", "Basic abc", 'Digest realm="other"', "Digest", 'Digest realm="recorder",algorithm=X']
)
def test_what_is_no_answer_gets_a_challenge(value):
    assert refused(invite(value)).status == 401


def test_an_unknown_qop_is_not_understood():
    given = authorization(challenge("MD5")).replace('qop="auth"', 'qop="other"')
    assert refused(invite(given)).status == 400


def test_without_qop_as_rfc_2069_has_it():
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    given = {"username": "u", "realm": "r", "nonce": "n", "uri": "sip:x"}
    assert answer(given, "INVITE", "p", b"") == md5(f"{md5('u:r:p')}:n:{md5('INVITE:sip:x')}")


def test_the_example_of_rfc_7616():
    given = {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": "SHA-256",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
    }
    expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert answer(given, "GET", "Circle of Life", b"") == expected

"""Sessions of browsers, tokens of programs."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from srs.archive.database import reading, writing
from srs.privacy import tokens, users
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right, assignment

MINUTE = timedelta(minutes=1)


@pytest.fixture
def secret(engine, make_user, now) -> str:
    user = make_user("ann", assignment("supervisor", groups=["sales"], rights={Right.LIST, Right.PLAY}))
    with writing(engine) as session:
        return tokens.begin_session(session, user, "192.0.2.1", now)


def test_a_session_holds_while_it_is_used_and_not_longer(engine, secret, now):
    at = now
    while at - now < tokens.SESSION_LONGEST:
        user, person, _ = tokens.of_session(engine, secret, at)
        assert (user.name, person.assignments[0].groups) == ("ann", ("sales",))
        at += 25 * MINUTE
    assert tokens.of_session(engine, secret, at) is None


def test_a_session_ends_when_it_is_idle_or_signed_out_or_the_user_disabled(engine, secret, now):
    assert tokens.of_session(engine, secret, now + 31 * MINUTE) is None
    assert tokens.of_session(engine, secret, now - timedelta(days=1)) is None, "the clock was set back"
    assert tokens.of_session(engine, secret + "x", now) is None
    with writing(engine) as session:
        tokens.end_session(session, secret)
    assert tokens.of_session(engine, secret, now) is None
    with writing(engine) as session:
        again = tokens.begin_session(session, user := users.get(session, "ann"), "192.0.2.1", now)
        session.flush()
        users.disable(session, user)
        users.disable(session, user, disabled=False)
    assert tokens.of_session(engine, again, now) is None


def test_a_new_password_ends_sessions(engine, secret, now):
    with writing(engine) as session:
        users.set_password(session, users.get(session, "ann"), "another password")
    assert tokens.of_session(engine, secret, now) is None


def test_a_token_limits_what_its_user_may_and_ends(engine, make_user, now):
    user = make_user()
    with writing(engine) as session:
        token, secret = tokens.issue(session, user, "crm", [Right.LIST], now, timedelta(days=1))
    person = tokens.of_token(engine, secret, now)
    assert (person.label, person.limit) == ("token:ann/crm", {Right.LIST})
    assert tokens.of_token(engine, secret, now + timedelta(days=1)) is None
    assert tokens.of_token(engine, secret[:-1], now) is None
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM token WHERE digest LIKE 'srs%'")).scalar_one() == 0
    with writing(engine) as session:
        tokens.revoke(session, token.id[:8])
    assert tokens.of_token(engine, secret, now) is None


@pytest.mark.parametrize(
    ("name", "rights", "lifetime"),
    [
        ("", [Right.LIST], timedelta(days=1)),
        ("crm", [], timedelta(days=1)),
        ("crm", [Right.LIST], timedelta(days=1000)),
        ("crm", [Right.LIST], -timedelta(days=1)),
    ],
)
def test_tokens_that_cannot_be(name, rights, lifetime, engine, make_user, now):
    user = make_user()
    with pytest.raises(Misuse), writing(engine) as session:
        tokens.issue(session, user, name, rights, now, lifetime)

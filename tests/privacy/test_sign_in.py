"""Signing in: right and wrong passwords, codes, lock-out."""

import subprocess
import sys
from datetime import timedelta

import pyotp
import pytest

from srs.archive.database import reading, writing
from srs.privacy import audit, second_factor, sign_in, users
from srs.privacy.errors import Misuse, PasswordOver, SecondFactor, SignInRefused
from srs.privacy.tables import User

PASSWORD = "correct horse"


@pytest.fixture
def enter(engine, now):
    def attempt(password=PASSWORD, code=None, name="ann", at=now):
        return sign_in.sign_in(engine, name, password, code, "192.0.2.1", at)

    return attempt


def kept(engine, user) -> User:
    with reading(engine) as session:
        return session.get_one(User, user.id)


def test_the_right_password_lets_in_and_a_wrong_one_does_not(enter, make_user):
    user = make_user()
    assert enter().id == user.id
    for password in ("wrong", "", PASSWORD.upper()):
        with pytest.raises(SignInRefused):
            enter(password)
    with pytest.raises(SignInRefused):
        enter(name="nobody")


def test_to_guess_passwords_costs_work():
    """In a process of its own: the tests' own passwords cost little."""
    program = f"from srs.privacy.passwords import hashed; print(hashed({PASSWORD!r}))"
    made = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_every_attempt_is_in_the_audit_and_no_password(enter, make_user, engine):
    user = make_user()
    enter()
    with pytest.raises(SignInRefused):
        enter("a secret I mistyped")
    found = audit.entries(engine, audit.Wanted())
    assert [(each.who, each.action, each.origin, each.allowed) for each in found] == [
        ("user:ann", "sign in", "192.0.2.1", True),
        ("user:ann", "sign in", "192.0.2.1", False),
    ]
    assert "mistyped" not in str([audit.described(each) for each in found])
    assert kept(engine, user).password.startswith("$argon2id$")


def test_after_failures_the_right_password_waits_longer_each_time(enter, make_user, engine, now):
    user, at = make_user(), now
    for _ in range(sign_in.FREE_ATTEMPTS):
        with pytest.raises(SignInRefused):
            enter("wrong")
    waits = []
    for _ in range(8):
        until = kept(engine, user).locked_until
        waits.append(until - at)
        with pytest.raises(SignInRefused):
            enter(at=until - timedelta(seconds=1))
        at = until
        with pytest.raises(SignInRefused):
            enter("wrong", at=at)
    assert waits == sorted(waits)
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert waits[-1] == sign_in.LONGEST_LOCK
    assert enter(at=kept(engine, user).locked_until).failures == 0


def test_a_clock_that_was_far_ahead_locks_nobody_out_for_long(enter, make_user, now):
    make_user()
    for _ in range(sign_in.FREE_ATTEMPTS):
        with pytest.raises(SignInRefused):
            enter("wrong", at=now + timedelta(days=3650))
    assert enter()


def test_a_code_is_asked_for_and_taken_once(enter, make_user, engine, now):
    user = make_user()
    with writing(engine) as session:
        secret = second_factor.begin(row := users.get(session, "ann"))
        with pytest.raises(SignInRefused):
            second_factor.finish(session, row, "000000", now)
        second_factor.finish(session, row, pyotp.TOTP(secret).at(now - timedelta(seconds=30)), now)
    with pytest.raises(SecondFactor):
        enter()
    code = pyotp.TOTP(secret).at(now)
    with pytest.raises(SignInRefused):
        enter(code="123456")
    assert enter(code=f"{code[:3]} {code[3:]}").id == user.id
    with pytest.raises(SignInRefused):  # seen over the shoulder
        enter(code=code)
    assert enter(code=pyotp.TOTP(secret).at(now + timedelta(seconds=30)), at=now + timedelta(seconds=30))


def test_codes_cannot_be_tried_without_end(enter, make_user, engine, now):
    make_user()
    with writing(engine) as session:
        users.get(session, "ann").totp_secret = secret = pyotp.random_base32()
    for _ in range(sign_in.FREE_ATTEMPTS):
        with pytest.raises(SignInRefused):
            enter(code="000000")
    with pytest.raises(SignInRefused):
        enter(code=pyotp.TOTP(secret).at(now))


def test_asking_for_the_code_costs_no_attempt(enter, make_user, engine, now):
    make_user()
    with writing(engine) as session:
        users.get(session, "ann").totp_secret = secret = pyotp.random_base32()
    for _ in range(2 * sign_in.FREE_ATTEMPTS):
        with pytest.raises(SecondFactor):
            enter()
    assert enter(code=pyotp.TOTP(secret).at(now))


def test_a_disabled_user_is_not_let_in(enter, make_user, engine):
    make_user()
    with writing(engine) as session:
        users.disable(session, users.get(session, "ann"))
    with pytest.raises(SignInRefused):
        enter()


def test_the_first_administrator_gets_a_password_once(engine, now, enter):
    password = users.first_administrator(engine, now)
    assert users.first_administrator(engine, now) is None
    assert enter(password, name="admin").must_change


def test_a_one_time_password_is_good_for_a_time(engine, now, enter):
    password = users.first_administrator(engine, now, lifetime=timedelta(hours=2))
    last = now + timedelta(hours=2) - timedelta(seconds=1)
    assert enter(password, name="admin", at=last).must_change
    with pytest.raises(PasswordOver):
        enter(password, name="admin", at=now + timedelta(hours=2))
    with pytest.raises(SignInRefused) as wrong:
        enter("wrong", name="admin", at=now + timedelta(hours=2))
    assert type(wrong.value) is SignInRefused, "only who has it learns that it is over"
    with writing(engine) as session:
        users.set_password(session, users.get(session, "admin"), PASSWORD)
    assert enter(name="admin", at=now + timedelta(days=400))


def test_a_recovery_code_lets_in_once(enter, make_user, engine, now):
    make_user()
    with writing(engine) as session:
        secret = second_factor.begin(user := users.get(session, "ann"))
        codes = second_factor.finish(session, user, pyotp.TOTP(secret).at(now), now)
    assert len(set(codes)) == second_factor.CODES
    assert enter(code=codes[0].upper().replace("-", " ")).name == "ann"
    for used_up_or_wrong in (codes[0], codes[1][:-1], ""):
        with pytest.raises(SignInRefused):
            enter(code=used_up_or_wrong)
    with writing(engine) as session:
        user = users.get(session, "ann")
        assert second_factor.codes_left(session, user) == second_factor.CODES - 1
        fresh = second_factor.new_codes(session, user)
    with pytest.raises(SignInRefused):
        enter(code=codes[1])
    assert enter(code=fresh[1])
    (_, last) = audit.entries(engine, audit.Wanted(refused=False))
    assert last.details == {"by": "password and recovery code"}


@pytest.mark.parametrize("name", ["", " ann", "a:b", "a/b", "ann"])
def test_names_that_cannot_be(name, engine, make_user, now):
    make_user()
    with pytest.raises(Misuse), writing(engine) as session:
        users.add(session, name, now)


def test_a_short_password_is_refused(make_user):
    with pytest.raises(Misuse, match="12"):
        make_user(password="short")

"""Who may do what: every role, right and scope, by decision, by condition on rows, and by guessing ids."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from sqlmodel import func, select

from srs.archive.catalogue import Filter, entries
from srs.archive.database import reading, writing
from srs.archive.errors import AmbiguousId, NoRecording
from srs.archive.subject import parties_text, subject
from srs.archive.tables import Leg, Recording
from srs.config import Settings
from srs.privacy import audit, grants, users
from srs.privacy.access import house, may
from srs.privacy.errors import Misuse, Refused
from srs.privacy.guard import Guard
from srs.privacy.roles import ON_RECORDINGS, ROLES, Person, Right, Scope, assignment
from srs.privacy.tables import Grant

GROUPS = [{"name": "sales", "extensions": ["20?", "[ab]*@example.com"]}, {"name": "works", "extensions": ["301"]}]
CALLS = {  # id -> caller, callee, purpose
    "sales1": ("sip:+31201234567@x.nl", "sip:201@x.nl", None),
    "sales2": ("sip:201@x.nl", "sip:301@x.nl", "quality"),
    "sales3": ("sip:Anna@example.com", "sip:999@x.nl", "quality"),
    "own1": ("sip:305@x.nl", "tel:+31-6-1234.5678", None),
    "other": ("sip:401@x.nl", "sip:402@x.nl", "investigation"),
    "nobody": (None, None, None),
}
REACHED = {
    "all": set(CALLS),
    "all but 301": set(CALLS) - {"sales2"},
    "sales": {"sales1", "sales2", "sales3"},
    "sales but 301": {"sales1", "sales3"},
    "own": {"own1"},
}
SCOPES = {
    "all": (Scope.ALL, (), ()),
    "all but 301": (Scope.ALL, (), ("301",)),
    "sales": (Scope.GROUP, ("sales",), ()),
    "sales but 301": (Scope.GROUP, ("sales",), ("301",)),
    "own": (Scope.OWN, (), ()),
}
HEARING = {Right.PLAY, Right.LISTEN, Right.DOWNLOAD, Right.MAIL}


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, group=GROUPS)


@pytest.fixture
def guard(engine, settings, now) -> Guard:
    with writing(engine) as session:
        for number, (id_, (caller, callee, purpose)) in enumerate(CALLS.items()):
            at = now - timedelta(minutes=number)
            row = Recording(id=id_, state="ready", started_at=at, ended_at=at, duration_s=1, created_at=at)
            row.caller, row.callee, row.purpose = caller, callee, purpose
            row.legs = [Leg(channel=0, aor=caller), Leg(channel=1, aor=callee)]
            row.parties = parties_text(row)
            session.add(row)
    return Guard(engine, settings)


def a_person(*roles, **more) -> Person:
    return Person("p1", "pat", ("305",), roles, **more)


def given(role: str, scope: str, rights):
    where, groups, excluded = SCOPES[scope]
    return assignment(role, where, groups, excluded, rights)


def allowed(guard: Guard, person: Person, right: Right, now: datetime) -> set[str]:
    with reading(guard.engine) as session:
        rows = session.exec(select(Recording)).all()
    return {row.id for row in rows if guard.decide(person, right, row, now).allowed}


def selected(guard: Guard, person: Person, right: Right, now: datetime) -> set[str]:
    with reading(guard.engine) as session:
        return set(session.exec(select(Recording.id).where(guard.sight(person, now, right).condition)))


def test_every_role_right_and_scope(guard, now):
    """What is decided and what is selected, beside what the tables above say."""
    tried = 0
    for role, right, scope in product(ROLES, sorted(ON_RECORDINGS), SCOPES):
        if SCOPES[scope][0] not in ROLES[role].scopes or right not in ROLES[role].possible:
            with pytest.raises(Misuse):
                given(role, scope, {right})
            continue
        person = a_person(given(role, scope, {right}))
        expected = REACHED[scope] - ({"other"} if right in HEARING else set())  # kept for investigators' ears
        assert allowed(guard, person, right, now) == selected(guard, person, right, now) == expected, (
            role,
            right,
            scope,
        )
        for other in ON_RECORDINGS - {right}:
            assert allowed(guard, person, other, now) == selected(guard, person, other, now) == set()
        tried += 1
    assert tried > 20


@pytest.mark.parametrize("role", ROLES)
def test_by_default_nobody_hears_anything(role, guard, now):
    person = a_person(assignment(role, groups=("sales",) if Scope.GROUP in ROLES[role].scopes else ()))
    for right in HEARING | {Right.DELETE}:
        assert allowed(guard, person, right, now) == selected(guard, person, right, now) == set()
    assert selected(guard, a_person(), Right.LIST, now) == set()


@pytest.mark.parametrize(("role", "right"), list(product(ROLES, sorted(set(Right) - ON_RECORDINGS))))
def test_rights_on_the_house_are_those_of_the_role(role, right, guard, now):
    person = a_person(assignment(role, groups=("sales",) if Scope.GROUP in ROLES[role].scopes else ()))
    assert guard.decide(person, right, None, now).allowed == (right in ROLES[role].house)


def test_a_token_never_widens(guard, now):
    person = a_person(
        given("supervisor", "sales", {Right.LIST, Right.PLAY}), limit=frozenset({Right.LIST, Right.USERS})
    )
    assert selected(guard, person, Right.LIST, now) == REACHED["sales"]
    assert allowed(guard, person, Right.PLAY, now) == selected(guard, person, Right.PLAY, now) == set()
    assert not guard.decide(person, Right.USERS, None, now).allowed


def test_pages_counts_and_guessed_ids_say_no_more(guard, settings, now):
    person = a_person(given("employee", "own", {Right.LIST}))
    sight = guard.sight(person, now)
    assert [row.id for row in entries(guard.engine, settings.data_dir, Filter(sight=sight, limit=10))] == ["own1"]
    with reading(guard.engine) as session:
        assert session.exec(select(func.count()).select_from(Recording).where(sight.condition)).one() == 1
    for guess in ("sales1", "sale", "nobody", "s%", "____"):
        with pytest.raises(NoRecording) as caught:
            guard.find(person, guess, now)
        assert "sales2" not in str(caught.value)
    with pytest.raises(AmbiguousId):
        guard.find(a_person(given("auditor", "all", {Right.LIST})), "sale", now)


def test_what_is_refused_and_what_is_done_is_in_the_audit(guard, now):
    person = a_person(given("employee", "own", {Right.LIST, Right.PLAY}))
    own = guard.find(person, "own1", now)
    guard.require(person, Right.PLAY, own, "192.0.2.1", now, reason="my own call")
    with pytest.raises(Refused):
        guard.require(person, Right.DELETE, own, "192.0.2.1", now)
    found = audit.entries(guard.engine, audit.Wanted(subject="recording:own1"))
    assert [(each.action, each.allowed, each.reason) for each in found] == [
        ("play", True, "my own call"),
        ("delete", False, None),
    ]


def test_one_recording_is_granted_by_another_person_for_a_time(guard, make_user, engine, now):
    asker, officer = make_user("ann"), make_user("olga", assignment("privacy officer"))
    with writing(engine) as session:
        person = users.person(session, asker)
        second = users.person(session, officer)
        grant = grants.ask(session, asker, "other", Right.PLAY, "a complaint", now)
        session.flush()
        with pytest.raises(Refused, match="themselves"):
            grants.decide(session, grant.id, person, now, grants.USUAL)
    assert selected(guard, person, Right.PLAY, now) == set()
    with writing(engine) as session:
        grants.decide(session, grant.id[:8], second, now, grants.USUAL)
    later = now + grants.USUAL
    for right, at, expected in (
        (Right.PLAY, now, {"other"}),
        (Right.LIST, now, {"other"}),
        (Right.DOWNLOAD, now, set()),
        (Right.PLAY, later, set()),
    ):
        assert allowed(guard, person, right, at) == selected(guard, person, right, at) == expected
    assert selected(guard, second, Right.PLAY, now) == set(), "the grant is the asker's"
    with pytest.raises(Misuse, match="already"), writing(engine) as session:
        grants.decide(session, grant.id, second, now, None)


@pytest.mark.parametrize(
    ("right", "reason", "period"),
    [(Right.USERS, "why", None), (Right.PLAY, "  ", None), (Right.PLAY, "why", timedelta(days=400))],
)
def test_requests_that_cannot_be(right, reason, period, guard, make_user, engine, now):
    user = make_user()

    def ask_and_decide() -> None:
        with writing(engine) as session:
            grant = grants.ask(session, user, "own1", right, reason, now)
            session.flush()
            grants.decide(session, grant.id, "cli:root", now, period)

    with pytest.raises(Misuse):
        ask_and_decide()


PATTERNS = [
    "*",
    "20?",
    "[a-c]*",
    "[!2]*",
    "201",
    "+31201234567",
    "*@EXAMPLE.com",
    "a.b",
    "(x",
    "[",
    "[^2]*",
    "2[0-9\\]1",
    "?",
    "",
]


def test_a_pattern_fits_rows_as_it_fits_parties(guard, now):
    for pattern in PATTERNS:
        person = replace(a_person(assignment("employee", rights={Right.LIST})), extensions=(pattern,))
        assert selected(guard, person, Right.LIST, now) == allowed(guard, person, Right.LIST, now), pattern


def test_a_grant_that_was_never_decided_is_none(settings, now):
    asked = Grant(id="g", user_id="p1", recording_id="r", right="play", reason="x", asked_at=now)
    row = Recording(id="r", state="ready", started_at=now, ended_at=now, duration_s=1, created_at=now)
    seen = subject(row, settings.numbers, settings.group)
    assert not may(a_person(), Right.PLAY, seen, [asked], now, house(settings.group, {})).allowed

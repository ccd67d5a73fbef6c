"""Sections of the settings as forms, and forms as TOML."""

from typing import Any

import pytest

from srs.config.handoff import HandoffSettings, RetentionRule, RetentionSettings
from srs.config.mail import MailRule, MailServer
from srs.config.privacy import PrivacySettings, PurposeSettings
from srs.config.values import Section
from srs.web.forms import Kind, document, fields, marked, problems

DOCUMENTS: list[tuple[type[Section], dict[str, Any]]] = [
    (RetentionRule, {"name": "sales", "keep_days": 30.5, "prune": False, "match": {"extension": ["2??"], "min_s": 5}}),
    (
        MailRule,
        {"name": "m", "to": ["{extension}@example.com", "b@example.com"], "format": "wav", "delete_after": True},
    ),
    (
        PurposeSettings,
        {"name": "p", "text_nl": "Dit gesprek\nwordt opgenomen.", "notice": "outside", "fits": ["quality"]},
    ),
    (PrivacySettings, {"do_not_record": [], "unassigned": "drop"}),
    (HandoffSettings, {"name": "h", "module": "copy", "options": {"to": "/srv", "deep": {"x": 1}}}),
]


def filled(model: type[Section], given: dict[str, Any]) -> dict[str, str]:
    """As a browser sends the form that it was given: no field that is not ticked, and line ends of its own."""
    shown = {field.name: field.value.replace("\n", "\r\n") for field in fields(model, given)}
    return {name: value for name, value in shown.items() if value}


@pytest.mark.parametrize(("model", "given"), DOCUMENTS)
def test_a_form_sent_as_it_came_says_what_it_said(model: type[Section], given: dict[str, Any]):
    assert document(model, filled(model, given), given) == given
    assert problems(model, given) == {}


def test_a_value_put_back_to_its_default_is_no_longer_said():
    given = {"name": "sales", "keep_days": 30, "match": {"caller": ["1*"]}}
    form = filled(RetentionRule, given) | {"keep_days": "", "match.caller": ""}
    assert document(RetentionRule, form, given) == {"name": "sales"}


def test_a_secret_is_not_shown_stays_when_left_empty_and_changes_when_filled():
    given = {"host": "mail.example.com", "user": "u", "password": "hush"}
    form = filled(MailServer, given)
    assert "hush" not in str(list(fields(MailServer, given)))
    assert document(MailServer, form, given) == given
    assert document(MailServer, form | {"password": "new"}, given)["password"] == "new"


def test_what_no_form_asks_for_stays():
    given = {"keep_days": 3, "rule": [{"name": "r"}]}
    assert "rule" not in {field.name for field in fields(RetentionSettings, given)}
    assert document(RetentionSettings, filled(RetentionSettings, given), given) == given


def test_what_is_said_above_the_pages_is_not_asked_for():
    form = {"when_full": "prune", "wins": "longest", "keep_facts": "yes"}
    assert document(RetentionSettings, form, {}, held=["keep_days", "when_full"]) == {}


def test_mistakes_are_told_beside_their_fields():
    form = {"name": "", "keep_days": "soon", "match.direction": "up", "prune": "yes"}
    made = document(RetentionRule, form, {})
    wrong = problems(RetentionRule, made)
    assert set(wrong) == {"name", "keep_days", "match.direction"}
    assert "number" in wrong["keep_days"]
    shown = {field.name: field for field in marked(list(fields(RetentionRule, {})), wrong, form)}
    assert (shown["keep_days"].value, shown["keep_days"].problem) == ("soon", wrong["keep_days"])


def test_options_that_are_no_toml_are_refused():
    made = document(HandoffSettings, {"name": "h", "module": "m", "options": "to = "}, {})
    assert set(problems(HandoffSettings, made)) == {"options"}


def test_numbers_may_have_a_comma():
    form = {"name": "r", "keep_days": "0,5", "prune": "yes"}
    assert document(RetentionRule, form, {}) == {"name": "r", "keep_days": 0.5}


def test_each_kind_is_known_by_its_annotation():
    kinds = {field.name: field.kind for field in fields(MailServer, {})}
    wanted = {"host": Kind.TEXT, "port": Kind.NUMBER, "tls": Kind.CHOICE, "verify": Kind.FLAG, "authorities": Kind.TEXT}
    assert wanted.items() <= kinds.items()
    assert kinds["password"] == Kind.SECRET

"""Rules that are for no recording."""

from srs.commands import doctor
from srs.handoff.idle import FEWEST, idle_rules

GROUPS = [{"name": "sales", "extensions": ["2??"]}]
RULES = {
    "group": GROUPS,
    "retention": {"rule": [{"name": "sales", "match": {"group": ["sales"]}}]},
    "mail": {
        "rule": [
            {"name": "boss", "to": ["a@example.com"], "match": {"group": ["salse"], "purpose": ["training", "fun"]}},
            {"name": "long", "to": ["a@example.com"], "match": {"min_s": 60.0}},
        ]
    },
    "handoff": [{"name": "vault", "module": "copy", "match": {"callee": ["3*"]}}],
}
MISSPELLED = "[[mail.rule]] boss: there is no group 'salse' and no purpose 'fun'"


def test_rules_that_fit_nothing_are_named_when_there_is_enough_to_tell(shelf):
    settings = shelf.settings(**RULES)
    for number in range(FEWEST - 1):
        shelf.record(shelf.settings(), f"r{number}")
    assert list(idle_rules(shelf.engine, settings)) == [MISSPELLED]
    shelf.record(shelf.settings(), "last")
    assert list(idle_rules(shelf.engine, settings)) == [
        MISSPELLED,
        "[[mail.rule]] long fits none of the last 20 recordings",
        "[[handoff]] vault fits none of the last 20 recordings",
    ]
    shelf.record(shelf.settings(), "long", duration_s=61.0, callee="sip:300@pbx.example")
    assert list(idle_rules(shelf.engine, settings)) == [MISSPELLED]
    [finding] = doctor.check_rules(settings)
    assert (finding.level, finding.what) == ("note", MISSPELLED)

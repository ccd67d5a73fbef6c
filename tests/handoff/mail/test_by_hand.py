"""Mail that somebody asks for by hand."""

import pytest

from srs.archive.database import writing
from srs.handoff import tasks
from srs.handoff.errors import NoTask
from srs.handoff.mail.by_hand import offers, send
from srs.handoff.tables import Delivery

from .conftest import GROUPS

RULES = [{"name": "lead", "to": ["{group}", "all@example.com"], "match": {"tag": ["never"]}}]


@pytest.fixture
def settings(shelf):
    return shelf.settings(mail={"rule": RULES}, group=GROUPS)


def note_delivery(shelf, to: str, *, accepted: bool) -> None:
    row = Delivery(recording_id="a1", rule="lead", recipient=to, message_id="<1>", accepted=accepted, code=250)
    row.reply, row.server, row.at = "ok", "localhost", shelf.clock()
    with writing(shelf.engine) as session:
        session.add(row)


def test_who_has_it_is_not_sent_it_again(shelf, settings):
    row = shelf.record(settings)
    (lead,) = offers(shelf.engine, row, settings)
    assert (lead.missing, lead.sent, lead.under_way) == (
        ("lead@example.com", "second@example.com", "all@example.com"),
        (),
        False,
    )
    note_delivery(shelf, "all@example.com", accepted=True)
    note_delivery(shelf, "lead@example.com", accepted=False)
    (lead,) = offers(shelf.engine, row, settings)
    assert (lead.missing, lead.sent) == (("lead@example.com", "second@example.com"), ("all@example.com",))


def test_it_is_tried_anew_when_it_failed_and_not_while_it_is_under_way(shelf, settings):
    row, now = shelf.record(settings), shelf.clock()
    send(shelf.engine, row, "lead", now)
    assert offers(shelf.engine, row, settings)[0].under_way
    task = shelf.tasks()["mail lead"]
    assert task.recording_id == "a1"
    tasks.cancel(shelf.engine, task.id, now)
    send(shelf.engine, row, "lead", now)
    assert shelf.tasks()["mail lead"].state == "due"
    with writing(shelf.engine) as session:
        session.merge(task).state = "done"
    with pytest.raises(NoTask):
        send(shelf.engine, row, "lead", now)

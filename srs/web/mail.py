"""Mailing a recording from its page: by one of the mail rules, after saying who gets it and what follows."""

from starlette.responses import Response

from srs.archive.errors import NotReady
from srs.archive.tables import State
from srs.handoff.mail import by_hand
from srs.privacy.errors import Misuse
from srs.web import use
from srs.web.pages import back, page
from srs.web.visit import Visit


def ask(visit: Visit) -> Response:
    house = visit.house
    offers = by_hand.offers(house.engine, visit.recording, house.settings)
    return page(visit, "mail.html", row=visit.recording, offers=offers)


def send(visit: Visit) -> Response:
    """The audit has who asked, why, and whom it goes to; the handoff process sends it."""
    house, row, name = visit.house, visit.recording, visit.form.get("rule", "")
    if not visit.form.get("reason", "").strip():
        raise Misuse("say why: the reason is kept in the audit")
    if row.state != State.READY:
        raise NotReady(f"recording {row.id} has no sound to mail")
    offer = next((each for each in by_hand.offers(house.engine, row, house.settings) if each.rule.name == name), None)
    if offer is None or not offer.missing:
        raise Misuse("choose a mail rule by which somebody gets it who has it not yet")
    purpose = use.check(visit, "mail")
    visit.note("mail", details={"rule": name, "to": list(offer.missing), "purpose": purpose})
    by_hand.send(house.engine, row, name, visit.now)
    return back(f"/recordings/{row.id}/mail")

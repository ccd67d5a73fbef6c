"""Mailing a recording from its page: by one of the mail rules, after saying who gets it and what follows."""

from starlette.responses import Response

from srs.archive.errors import NotReady
from srs.archive.tables import Recording, State
from srs.handoff.mail import by_hand
from srs.privacy.errors import Misuse
from srs.web import use
from srs.web.asker import Asker
from srs.web.pages import back, page
from srs.web.visit import Visit


def ask(visit: Visit) -> Response:
    house = visit.house
    offers = by_hand.offers(house.engine, visit.recording, house.settings)
    return page(visit, "mail.html", row=visit.recording, offers=offers)


def send(visit: Visit) -> Response:
    """The audit has who asked, why, and whom it goes to; the handoff process sends it."""
    order(visit, visit.recording, visit.form.get("rule", ""), use.purpose_of_use(visit), visit.reason)
    return back(f"/recordings/{visit.recording.id}/mail")


def order(asker: Asker, row: Recording, rule: str, purpose: str | None, reason: str) -> int:
    """Have a recording mailed by a rule; returns the number of the task.

    Args:
        purpose: what it is wanted for.

    Raises:
        NotReady: it has no sound.
        Misuse: there is no such rule, or everybody whom it names has it.
        WrongPurpose: it is kept for another purpose.
        NoTask: it is being mailed by it.
    """
    house = asker.house
    if row.state != State.READY:
        raise NotReady(f"recording {row.id} has no sound to mail")
    offer = next((each for each in by_hand.offers(house.engine, row, house.settings) if each.rule.name == rule), None)
    if offer is None or not offer.missing:
        raise Misuse("choose a mail rule by which somebody gets it who has it not yet")
    asker.require_use(row, purpose, "mail")
    details = {"rule": rule, "to": list(offer.missing), "purpose": purpose}
    asker.write("mail", f"recording:{row.id}", reason=reason, details=details)
    return by_hand.send(house.engine, row, rule, asker.now)

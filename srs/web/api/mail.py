"""Mailing a recording by one of the mail rules."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from srs.handoff.mail import by_hand
from srs.handoff.mail.by_hand import Offer as Known
from srs.privacy.roles import Right
from srs.web import mail
from srs.web.api.caller import About, PurposeOfUse, about
from srs.web.api.once import Once
from srs.web.api.tasks import Todo, task_of
from srs.web.api.words import Asked, Listed, Reason, Word

router = APIRouter(prefix="/recordings/{id}/mail", tags=["recordings"], route_class=Once)

Mailed = Annotated[About, about(Right.MAIL)]


class Offer(BaseModel):
    """What a rule would do with the recording, also one that is not for it by itself."""

    rule: str
    format: str
    missing: list[str]
    """Who would get it."""
    sent: list[str]
    """Who has it."""
    under_way: bool
    delete_after: bool
    """Whether it is deleted from the recorder when all have it."""


def _offer(found: Known) -> Offer:
    return Offer(
        rule=found.rule.name,
        format=found.rule.format,
        missing=list(found.missing),
        sent=list(found.sent),
        under_way=found.under_way,
        delete_after=found.rule.delete_after,
    )


@router.get("")
def offers(found: Mailed) -> Listed[Offer]:
    """What each mail rule would do."""
    house = found.caller.house
    return Listed(items=[_offer(each) for each in by_hand.offers(house.engine, found.row, house.settings)])


class Mailing(Asked):
    """To whom: a rule of the settings says that, and in which form."""

    rule: Word = Field(description="Name of a [[mail.rule]].")
    reason: Reason


@router.post("", status_code=202)
def send(found: Mailed, mailing: Mailing, purpose: PurposeOfUse) -> Todo:
    """Mail it to those whom a rule names; who has got it does not get it again."""
    return task_of(found.caller, mail.order(found.caller, found.row, mailing.rule, purpose, mailing.reason))

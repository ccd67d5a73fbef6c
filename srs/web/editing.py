"""Pages on which settings are changed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from srs.config import SettingsError
from srs.config.privacy import purposes
from srs.handoff import review
from srs.privacy.errors import Misuse
from srs.web import edited as settings
from srs.web import forms, health
from srs.web.asker import NotFound
from srs.web.edited import Edited, Would
from srs.web.pages import back, page
from srs.web.visit import Visit

NEW: Final = "new"
RULES: Final = "retention-rules"


def shown(visit: Visit) -> Response:
    """The list of a subject, or its form."""
    house, edited = visit.house, settings.opened(visit.house, visit.request.path_params["subject"])
    subject = edited.subject
    if not subject.many:
        return _form(visit, edited, "", edited.section)
    above = settings.fixed(house, subject)
    told = settings.in_force(house.settings, subject) if above else edited.items
    built_in = list(purposes([]).values()) if subject.path == "purposes" else []
    others = [each for each in built_in if each.name not in {str(item.get("name")) for item in told}]
    asked = visit.request.query_params.get("preview") == "yes"  # it looks at every recording there is
    preview = review.preview(house.engine, house.settings, visit.now) if asked else None
    return page(
        visit, "rules.html", subject=subject, items=told, fixed=above, built_in=others, periods=subject.path == RULES,
        preview=preview, version=edited.version, summary=settings.summary,
    )  # fmt: skip


def item(visit: Visit) -> Response:
    """The form of one item of a list."""
    edited = settings.opened(visit.house, visit.request.path_params["subject"])
    place = _place(visit, edited)
    if place is not None:
        return _form(visit, edited, str(place), edited.items[place])
    like = visit.request.query_params.get("like", "")
    named = purposes([]).get(like) if edited.subject.path == "purposes" else None
    given = named.model_dump(exclude_defaults=True, mode="json") if named else {}
    return _form(visit, edited, NEW, given)


def _place(visit: Visit, edited: Edited) -> int | None:
    """Of the item in the list; None: it is a new one.

    Raises:
        NotFound: there is no such item.
    """
    place = visit.request.path_params.get("place", NEW)
    if place == NEW:
        return None
    if not place.isdecimal() or int(place) >= len(edited.items):
        raise NotFound
    return int(place)


def _form(
    visit: Visit,
    edited: Edited,
    place: str,
    document: Mapping[str, Any],
    *,
    wrong: Mapping[str, str] | None = None,
    problem: str = "",
    would: Would | None = None,
) -> Response:
    house, subject, explain = visit.house, edited.subject, visit.say.explain
    above = settings.held(house, subject)
    said = {name: getattr(getattr(house.settings, subject.key), name) for name in above}
    asked = [
        replace(field, held=above.get(field.name, "")) for field in forms.fields(subject.model, {**document, **said})
    ]
    if visit.form:
        asked = forms.marked(asked, {name: explain(why) for name, why in (wrong or {}).items()}, visit.form)
    known = {"subject": subject, "place": place, "fields": asked, "version": edited.version}
    told = {"fixed": settings.fixed(house, subject), "problem": explain(problem), "would": would}
    status = 400 if problem or wrong else 200
    return page(visit, "rule.html", status, **known, **told, previews=settings.previews(subject))


# Changes


def change(visit: Visit) -> Response:
    """Keep, remove or move what the form is about; a change that deletes or mails is shown before it is kept."""
    path, wanted = visit.request.path_params["subject"], visit.form.get("do", "")
    with settings.changing(visit.house, path, visit.form.get("version", "")) as edited:
        if wanted in ("remove", "up", "down"):
            return _move(visit, edited, wanted)
        return _save(visit, edited, preview=wanted == "preview")


def _move(visit: Visit, edited: Edited, wanted: str) -> Response:
    place = _place(visit, edited)
    if place is None:
        raise NotFound
    to = place + (1 if wanted == "down" else -1)
    document = edited.without(place) if wanted == "remove" else edited.moved(place, to)
    try:
        return _keep(visit, edited, document, wanted, edited.items[place])
    except SettingsError as error:
        raise Misuse(str(error)) from error


def _save(visit: Visit, edited: Edited, *, preview: bool) -> Response:
    house, subject = visit.house, edited.subject
    place = _place(visit, edited) if subject.many else None
    before, name = edited.before(place), visit.request.path_params.get("place", "")
    made = forms.document(subject.model, visit.form, before, settings.held(house, subject))
    if wrong := forms.problems(subject.model, made) if subject.many else {}:
        return _form(visit, edited, name, before, wrong=wrong, problem="\n".join(_named(visit, wrong)))
    document = edited.with_item(place, made)
    try:
        if not preview:
            return _keep(visit, edited, document, "save", made)
        then = settings.checked(house, document)
    except SettingsError as error:
        return _form(visit, edited, name, before, problem=str(error))
    return _form(visit, edited, name, before, would=settings.would(house, subject, then, made, visit.now))


def _named(visit: Visit, wrong: Mapping[str, str]) -> Iterator[str]:
    """What is wrong, with the field as the page calls it."""
    for name, why in wrong.items():
        field = name.rpartition(".")[2]
        yield f"{visit.say(f'field {field}')}: {why}" if field else why


def _keep(visit: Visit, edited: Edited, document: dict[str, Any], what: str, told: Mapping[str, Any]) -> Response:
    restarting = settings.keep(visit, edited, document, what, told)
    to = f"/settings/{edited.subject.path}"
    return page(visit, "applying.html", to=to, restarting=restarting, process=health.PROCESS)


def apply_retention(visit: Visit) -> Response:
    settings.apply_retention(visit)
    return back(f"/settings/{RULES}?preview=yes")

"""Changing settings on pages: kept in `pages.toml`, checked whole before, in force when the processes are replaced."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from starlette.responses import Response

from srs.config import Settings, SettingsError, load, origin, pages
from srs.config.privacy import purposes
from srs.config.rules import Match
from srs.handoff import review
from srs.privacy.errors import Misuse
from srs.web import forms, health
from srs.web.asker import NotFound
from srs.web.pages import back, page
from srs.web.subjects import SUBJECTS, Subject
from srs.web.visit import Visit

log = structlog.get_logger()

NEW: Final = "new"
RESTART_S: Final = 30
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Edited:
    """Settings of one subject as `pages.toml` has them, or would."""

    subject: Subject
    document: dict[str, Any]
    """All that the pages have set."""
    version: str
    """Of the file, so that nobody undoes unknowingly what another has just changed."""

    @property
    def section(self) -> dict[str, Any]:
        """Of a subject that is one section."""
        found: dict[str, Any] = self.document.get(self.subject.key, {})
        return found

    @property
    def items(self) -> list[dict[str, Any]]:
        """Of a subject that is a list."""
        holder = self.document
        for name in self.subject.names[:-1]:
            holder = holder.get(name, {})
        return list(holder.get(self.subject.names[-1], []))

    def put(self, value: object) -> dict[str, Any]:
        """The document with other settings of the subject; empty ones are left out."""
        document = deepcopy(self.document)
        holder = document
        for name in self.subject.names[:-1]:
            holder = holder.setdefault(name, {})
        holder[self.subject.names[-1]] = value
        return {name: each for name, each in document.items() if each not in ({}, [])}


def opened(visit: Visit) -> Edited:
    """
    Raises:
        NotFound: there is no such subject.
    """
    subject = SUBJECTS.get(visit.request.path_params["subject"])
    if subject is None:
        raise NotFound
    folder = visit.house.settings.data_dir
    path = folder / pages.NAME
    content = path.read_bytes() if path.exists() else b""
    return Edited(subject, pages.read(folder), hashlib.sha256(content).hexdigest())


def source(visit: Visit, key: str) -> str | None:
    """What says a setting above the pages: the settings file or a variable."""
    house = visit.house
    found = origin(key, house.config, house.settings.data_dir)
    return None if found in ("default", str(house.settings.data_dir / pages.NAME)) else found


def fixed(visit: Visit, subject: Subject) -> str | None:
    """What says a list above the pages."""
    return source(visit, subject.key) if subject.many else None


def held(visit: Visit, subject: Subject) -> dict[str, str]:
    """The values of a section that are said above the pages, and where."""
    names = [] if subject.many else list(subject.model.model_fields)
    return {name: found for name in names if (found := source(visit, f"{subject.key}.{name}"))}


# Pages


def shown(visit: Visit) -> Response:
    """The list of a subject, or its form."""
    edited = opened(visit)
    if not edited.subject.many:
        return _form(visit, edited, "", edited.section)
    kept = visit.house.settings
    above = fixed(visit, edited.subject)
    told = _in_force(kept, edited.subject) if above else edited.items
    built_in = list(purposes([]).values()) if edited.subject.path == "purposes" else []
    others = [each for each in built_in if each.name not in {str(item.get("name")) for item in told}]
    preview = review.preview(visit.house.engine, kept, visit.now) if edited.subject.path == "retention-rules" else None
    return page(
        visit, "rules.html", subject=edited.subject, items=told, fixed=above, built_in=others,
        preview=preview, version=edited.version, summary=summary,
    )  # fmt: skip


def _in_force(settings: Settings, subject: Subject) -> list[dict[str, Any]]:
    """The items of a list, as the running processes have them."""
    found: Any = settings
    for name in subject.names:
        found = getattr(found, name)
    return [each.model_dump(exclude_defaults=True, mode="json") for each in found]


def summary(item: Mapping[str, Any]) -> str:
    """An item in a line."""
    told = {
        name: value for name, value in item.items() if name not in ("name", "match", "text_nl", "text_en", "password")
    }
    parts = [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in told.items()
    ]
    matched = [
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in item.get("match", {}).items()
    ]
    return " · ".join([*matched, *parts])


def item(visit: Visit) -> Response:
    """The form of one item of a list."""
    edited = opened(visit)
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
    would: "Would | None" = None,
) -> Response:
    above = held(visit, edited.subject)
    said = {name: getattr(getattr(visit.house.settings, edited.subject.key), name) for name in above}
    asked = [
        replace(field, held=above.get(field.name, ""))
        for field in forms.fields(edited.subject.model, {**document, **said})
    ]
    if visit.form:
        asked = forms.marked(asked, wrong or {}, visit.form)
    known = {"subject": edited.subject, "place": place, "fields": asked, "version": edited.version}
    told = {"fixed": fixed(visit, edited.subject), "problem": problem, "would": would}
    status = 400 if problem or wrong else 200
    return page(visit, "rule.html", status, **known, **told, previews=_previews(edited.subject))


# Changes


def change(visit: Visit) -> Response:
    """Keep, remove or move what the form is about; a change that deletes or mails is shown before it is kept."""
    with _one_at_a_time:
        edited = opened(visit)
        if visit.form.get("version") != edited.version:
            raise Misuse("somebody else has changed the settings meanwhile: look again, then change them")
        if above := fixed(visit, edited.subject):
            raise Misuse(f"{edited.subject.key} is set in {above}: change it there")
        wanted = visit.form.get("do", "")
        if wanted in ("remove", "up", "down"):
            return _keep(visit, edited, edited.put(_moved(visit, edited, wanted)), wanted)
        return _save(visit, edited, preview=wanted == "preview")


def _moved(visit: Visit, edited: Edited, wanted: str) -> list[dict[str, Any]]:
    items, place = edited.items, _place(visit, edited)
    if place is None:
        raise NotFound
    moved = items.pop(place)
    if wanted != "remove":
        items.insert(max(0, place + (1 if wanted == "down" else -1)), moved)
    return items


def _save(visit: Visit, edited: Edited, *, preview: bool) -> Response:
    place = _place(visit, edited) if edited.subject.many else None
    items = edited.items
    before = edited.section if not edited.subject.many else items[place] if place is not None else {}
    made = forms.document(edited.subject.model, visit.form, before, held(visit, edited.subject))
    name = "" if not edited.subject.many else NEW if place is None else str(place)
    if wrong := forms.problems(edited.subject.model, made) if edited.subject.many else {}:
        return _form(visit, edited, name, before, wrong=wrong, problem=" ".join(wrong.values()))
    value = (
        made
        if not edited.subject.many
        else [*items, made]
        if place is None
        else [*items[:place], made, *items[place + 1 :]]
    )
    document = edited.put(value)
    try:
        settings = load(visit.house.config, visit.house.settings.data_dir, document)
    except SettingsError as error:
        return _form(visit, edited, name, before, problem=str(error))
    if preview:
        return _form(visit, edited, name, before, would=_would(visit, edited.subject, settings, made))
    return _keep(visit, edited, document, "save")


def _keep(visit: Visit, edited: Edited, document: dict[str, Any], what: str) -> Response:
    """Written into the audit, kept, and put in force."""
    house, subject = visit.house, edited.subject
    try:
        load(house.config, house.settings.data_dir, document)
    except SettingsError as error:
        raise Misuse(str(error)) from error
    hidden = {
        name: text for name, text in visit.form.items() if "password" not in name and name not in ("do", "version")
    }
    visit.note("change settings", f"settings:{subject.key}", details={"do": what, **hidden})
    pages.write(house.settings.data_dir, document)
    log.info("settings changed on the pages", settings=subject.key, by=visit.person.name, what=what)
    restarting = _replace_processes(visit)
    to = f"/settings/{subject.path}"
    return page(visit, "applying.html", to=to, restarting=restarting, process=health.PROCESS)


def _replace_processes(visit: Visit) -> bool:
    """Have the recorder's processes read the settings; calls go on. False: none is running."""
    house = visit.house
    named = ["--config", str(house.config)] if house.config else []
    command = [sys.executable, "-m", "srs.cli", "restart", *named, "--data", str(house.settings.data_dir)]
    done = subprocess.run(command, capture_output=True, timeout=RESTART_S, check=False)
    return done.returncode == 0


def apply_retention(visit: Visit) -> Response:
    """Put the periods in force for the recordings there are."""
    changed = review.apply(visit.house.engine, visit.house.settings, visit.now)
    visit.note("apply retention", "settings:retention", details={"changed": changed})
    return back("/settings/retention-rules")


# What a change would do


@dataclass(frozen=True, slots=True)
class Would:
    """What settings would do that are not kept yet."""

    hits: int | None
    """Recordings of the last 30 days that the rule is for."""
    deleted: review.Preview | None


def _previews(subject: Subject) -> bool:
    return subject.path in ("retention", "retention-rules", "purposes", "purpose-rules", "mail-rules", "handoff")


def _would(visit: Visit, subject: Subject, settings: Settings, made: Mapping[str, Any]) -> Would:
    engine = visit.house.engine
    match = Match.model_validate(made.get("match", {})) if "match" in subject.model.model_fields else None
    hits = None if match is None else review.hits(engine, match, settings, visit.now)
    deletes = subject.path in ("retention", "retention-rules", "purposes")
    return Would(hits, review.preview(engine, settings, visit.now) if deletes else None)

"""Settings that people change: kept in `pages.toml`, checked whole before, in force when the processes are replaced."""

import hashlib
import threading
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
import tomli_w

from srs.config import Settings, SettingsError, load, origins, pages
from srs.config.rules import Match
from srs.handoff import review
from srs.privacy.errors import Misuse
from srs.web.asker import Asker, NotFound
from srs.web.hidden import redacted
from srs.web.house import House
from srs.web.subjects import SUBJECTS, Subject

log = structlog.get_logger()

DELETES: Final = ("retention", "retention-rules", "purposes")
"""Subjects that say how long recordings are kept."""
_one_at_a_time: Final = threading.Lock()


class Overtaken(Misuse):
    """Somebody else has changed the settings since they were looked at."""


@dataclass(frozen=True, slots=True)
class Edited:
    """Settings of one subject as `pages.toml` has them, or would."""

    subject: Subject
    document: dict[str, Any]
    """All that people have set."""
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

    def before(self, place: int | None) -> dict[str, Any]:
        """The section, or the item at a place of the list; of a new one nothing."""
        if not self.subject.many:
            return self.section
        return {} if place is None else self.items[place]

    def with_item(self, place: int | None, item: dict[str, Any]) -> dict[str, Any]:
        """The document with a changed section, or item of the list; None: a new one, the last."""
        if not self.subject.many:
            return self.put(item)
        items = self.items
        items[len(items) if place is None else place : len(items) if place is None else place + 1] = [item]
        return self.put(items)

    def without(self, place: int) -> dict[str, Any]:
        """The document without an item."""
        return self.put([each for other, each in enumerate(self.items) if other != place])

    def moved(self, place: int, to: int) -> dict[str, Any]:
        """The document with an item at another place."""
        items = self.items
        items.insert(max(0, to), items.pop(place))
        return self.put(items)

    def put(self, value: object) -> dict[str, Any]:
        """The document with other settings of the subject; empty ones are left out."""
        document = deepcopy(self.document)
        holder = document
        for name in self.subject.names[:-1]:
            holder = holder.setdefault(name, {})
        holder[self.subject.names[-1]] = value
        return {name: each for name, each in document.items() if each not in ({}, [])}


def opened(house: House, path: str) -> Edited:
    """
    Args:
        path: of the subject.

    Raises:
        NotFound: there is no such subject.
    """
    subject = SUBJECTS.get(path)
    if subject is None:
        raise NotFound
    folder = house.settings.data_dir
    file = folder / pages.NAME
    content = file.read_bytes() if file.exists() else b""
    return Edited(subject, pages.read(folder), hashlib.sha256(content).hexdigest())


@contextmanager
def changing(house: House, path: str, version: str | None) -> Iterator[Edited]:
    """The settings of a subject, for as long as nobody else changes any.

    Args:
        version: that whoever changes them has seen; None: whichever it is.

    Raises:
        NotFound: there is no such subject.
        Overtaken: it is another version by now.
        Misuse: something above the pages says them.
    """
    with _one_at_a_time:
        edited = opened(house, path)
        if version not in (None, edited.version):
            raise Overtaken("somebody else has changed the settings meanwhile: look again, then change them")
        if above := fixed(house, edited.subject):
            raise Misuse(f"{edited.subject.key} is set in {above}: change it there")
        yield edited


# What is said above the pages


def _above(house: House, keys: Iterable[str]) -> dict[str, str]:
    """Which settings are said above the pages, in the settings file or a variable, and where."""
    folder = house.settings.data_dir
    origin = origins(house.config, folder)
    return {key: found for key in keys if (found := origin(key)) not in ("default", str(folder / pages.NAME))}


def fixed(house: House, subject: Subject) -> str | None:
    """What says a list above the pages."""
    return _above(house, [subject.key]).get(subject.key) if subject.many else None


def held(house: House, subject: Subject) -> dict[str, str]:
    """The values of a section that are said above the pages, and where."""
    names = [] if subject.many else [f"{subject.key}.{name}" for name in subject.model.model_fields]
    return {key.removeprefix(f"{subject.key}."): found for key, found in _above(house, names).items()}


def in_force(settings: Settings, subject: Subject) -> list[dict[str, Any]]:
    """The items of a list, as the running processes have them."""
    found: Any = settings
    for name in subject.names:
        found = getattr(found, name)
    return [each.model_dump(exclude_defaults=True, mode="json") for each in found]


# Changes


def checked(house: House, document: dict[str, Any]) -> Settings:
    """All settings as they would be with a document.

    Raises:
        SettingsError: they would not do.
    """
    if any("command" in each.get("options", {}) for each in document.get("handoff", [])):
        raise SettingsError("programs are named in the settings file: who changes settings here is not to run any")
    try:
        same = tomllib.loads(tomli_w.dumps(document).encode().decode()) == document
    except (TypeError, ValueError) as error:
        raise SettingsError(f"this cannot be kept as TOML: {error}") from error
    if not same:
        raise SettingsError("this cannot be kept as TOML: a value is none that TOML has")
    return load(house.config, house.settings.data_dir, document)


def keep(asker: Asker, edited: Edited, document: dict[str, Any], what: str, told: Mapping[str, Any]) -> bool:
    """Have a document kept and in force; the audit has it first.

    Args:
        what: what is done: `save`, `remove` …
        told: with what, for the audit.

    Returns:
        Whether the recorder's processes are being replaced; else none is running.

    Raises:
        SettingsError: it would not do.
    """
    house, subject = asker.house, edited.subject
    checked(house, document)
    asker.write("change settings", f"settings:{subject.key}", details={"do": what, **redacted(told)})
    pages.write(house.settings.data_dir, document)
    log.info("settings changed", settings=subject.key, by=asker.person.label, what=what)
    return house.renew()


def apply_retention(asker: Asker) -> int:
    """Put the periods in force for the recordings there are; returns how many that changed."""
    asker.write("apply retention", "settings:retention")
    return review.apply(asker.house.engine, asker.house.settings, asker.now)


# What a change would do


@dataclass(frozen=True, slots=True)
class Would:
    """What settings would do that are not kept yet."""

    hits: int | None
    """Recordings of the last 30 days that the rule is for; None: it is for none in particular."""
    deleted: review.Preview | None
    """None: they delete nothing."""


def previews(subject: Subject) -> bool:
    """Whether a change deletes or mails, so that it is looked at first."""
    return subject.path in (*DELETES, "purpose-rules", "mail-rules", "handoff")


def would(house: House, subject: Subject, settings: Settings, made: Mapping[str, Any], now: datetime) -> Would:
    """
    Args:
        made: the section or item that is new in the settings.
    """
    match = Match.model_validate(made.get("match", {})) if "match" in subject.model.model_fields else None
    hits = None if match is None else review.hits(house.engine, match, settings, now)
    return Would(hits, review.preview(house.engine, settings, now) if subject.path in DELETES else None)


def summary(item: Mapping[str, Any]) -> str:
    """An item in a line."""
    shown = {name: value for name, value in redacted(item).items() if name not in _ELSEWHERE}
    return " · ".join([*_said(item.get("match", {}), " "), *_said(shown, ": ")])


_ELSEWHERE: Final = ("name", "match", "text_nl", "text_en", "password")


def _said(values: Mapping[str, Any], between: str) -> Sequence[str]:
    return [
        f"{name}{between}{', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in values.items()
    ]

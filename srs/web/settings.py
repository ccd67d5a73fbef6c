"""The settings in force, and where each comes from."""

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from srs.config import names, origins
from srs.web.hidden import HIDDEN, is_secret
from srs.web.house import House
from srs.web.pages import page
from srs.web.subjects import SUBJECTS
from srs.web.visit import Visit


def shown(visit: Visit) -> Response:
    return page(visit, "settings.html", rows=in_force(visit.house), subjects=SUBJECTS.values())


def in_force(house: House) -> list[tuple[str, str, str, str]]:
    """Name, value, meaning and origin of each setting."""
    origin = origins(house.config, house.settings.data_dir)
    return [(name, said(name, value_of(house.settings, name)), meaning, origin(name)) for name, meaning in names()]


def value_of(settings: object, name: str) -> Any:  # noqa: ANN401 - settings are of any type
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


def said(name: str, value: object) -> str:
    """The value for a page: passwords are not."""
    if isinstance(value, list):
        return ", ".join(said(name, each) for each in value)
    if value is None:
        return ""
    if hasattr(value, "name"):
        return str(value.name)
    text = str(value)
    if is_secret(name.rpartition(".")[2], text):
        return HIDDEN
    return _without_password(text) if "://" in text else text


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return url.replace(f":{parts.password}@", ":•••@") if parts.password else url

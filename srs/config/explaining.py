"""What is said of a setting that cannot be used: the place, the key and what is allowed."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Path_ = Sequence[str | int]
"""The names of sections and settings, and the indices of those that there are several of."""


def explain(detail: ErrorDetails, root: type[BaseModel], prefix: str, path: Path | None, document: Any) -> str:  # noqa: ANN401
    """One mistake in a sentence.

    Args:
        root: of all settings.
        prefix: of environment variables.
        path: the settings file, with its document.
    """
    place = [part for part in detail["loc"] if isinstance(part, int) or part.isidentifier()]
    names = [part for part in place if isinstance(part, str)]
    message = detail["msg"].removeprefix("Value error, ")
    if not names:
        return f"{path or 'environment'}: {message}"
    variable = find_variable(prefix, names[:2], os.environ)
    told = f"{path}: {_told(place, root, document)}"
    if variable:
        told = f"environment {variable}" + (f": {_told(place, root, {})}" if _rows(place, root) else "")
    if detail["type"] == "extra_forbidden":
        return f"{told}: no such setting; {_known(place[:-1], root)}"
    if detail["type"] in ("model_type", "model_attributes_type"):
        return f"{told}: must be a section with settings, not {detail['input']!r}"
    found = "" if detail["type"] == "missing" else f" (found {detail['input']!r})"
    return f"{told}: {message}{found}"


def find_variable(prefix: str, names: Iterable[str], environment: Mapping[str, str]) -> str | None:
    """The variable that sets a setting."""
    wanted = (prefix + "__".join(names)).upper()
    return next((name for name in environment if name.upper() == wanted), None)


def _told(place: Path_, root: type[BaseModel], document: Any) -> str:  # noqa: ANN401
    """`data_dir`, `[sip] listen`, or `[[retention.rule]] complaints: keep_days`."""
    if rows := _rows(place, root):
        inner = ".".join(part for part in place[rows + 1 :] if isinstance(part, str))
        section = f"[[{'.'.join(map(str, place[:rows]))}]] {_row_name(place[: rows + 1], document)}"
        return f"{section}: {inner}" if inner else section
    names = [part for part in place if isinstance(part, str)][:2]
    return names[0] if len(names) == 1 else f"[{names[0]}] {names[1]}"


def _rows(place: Path_, root: type[BaseModel]) -> int:
    """How many names there are before the index of a section of which there are several; 0: it is none of these."""
    index = next((number for number, part in enumerate(place) if isinstance(part, int)), 0)
    return index if index and _section(place[:index], root) else 0


def _row_name(place: Path_, document: Any) -> str:  # noqa: ANN401
    """Of such a section: its `name`, or its number from 1."""
    for part in place:
        try:
            document = document[part]
        except (LookupError, TypeError):
            break
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else f"number {int(place[-1]) + 1}"


def _known(place: Path_, root: type[BaseModel]) -> str:
    names = [part for part in place if isinstance(part, str)]
    section = _section(names, root) or root
    title = f"[[{'.'.join(names)}]]" if place and isinstance(place[-1], int) else f"[{'.'.join(names)}]"
    return f"the settings {f'of {title}' if names else 'here'} are {', '.join(section.model_fields)}"


def _section(place: Path_, root: type[BaseModel]) -> type[BaseModel] | None:
    """The section at a place, or those of the list there; None: it is a value."""
    found: type[BaseModel] | None = root
    for name in place:
        if isinstance(name, str):
            found = _inner(found.model_fields[name].annotation) if found and name in found.model_fields else None
    return found


def _inner(annotation: object) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    inner = (annotation, *get_args(annotation))
    return next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), None)

"""A section of the settings as a form, and a form as TOML has it."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import tomli_w
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from srs.config.values import Section
from srs.web.hidden import redacted, restored


class Kind(StrEnum):
    """How a value is asked for."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"
    """Items with commas between."""
    SECRET = "secret"
    """Never shown; left empty it stays as it is."""
    TABLE = "table"
    """TOML, a line each; secrets among them are not shown."""


EMPTY: Final = (Kind.TEXT, Kind.FLAG, Kind.LIST)
"""Of these an empty field says something; of others that the default holds."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a form."""

    name: str
    """With dots: `match.number`."""
    kind: Kind
    value: str
    """As the form shows it; of a flag `yes` or nothing."""
    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    required: bool = False
    problem: str = ""
    held: str = ""
    """What says it above the pages; then it cannot be changed here."""


def fields(model: type[Section], document: Mapping[str, Any], prefix: str = "") -> Iterator[Field]:
    """The fields of a section, with what the document says or the defaults; not those that are lists of sections.

    Args:
        document: as TOML has the section.
    """
    for name, info in model.model_fields.items():
        if inner := _section(info.annotation):
            yield from fields(inner, document.get(name, {}), f"{name}.")
        elif kind := _kind(info.annotation):
            default = _shown(kind, _default(info))
            value = _shown(kind, document[name]) if name in document else default
            choices = _choices(info.annotation) if kind == Kind.CHOICE else ()
            meaning, required = info.description or "", info.is_required()
            yield Field(prefix + name, kind, value, default, meaning, choices, required)


def document(
    model: type[Section], form: Mapping[str, str], before: Mapping[str, Any], held: Collection[str] = ()
) -> dict[str, Any]:
    """What a form says, as TOML has it: what differs from the defaults.

    Args:
        before: what was there; secrets that the form leaves empty and what no form asks for stay.
        held: fields that the form does not ask for.
    """
    asked = [field for field in fields(model, before) if field.name not in held]
    kept = {
        name: value for name, value in before.items() if name not in {field.name.partition(".")[0] for field in asked}
    }
    made: dict[str, Any] = dict(kept)
    for field in asked:
        text = form.get(field.name, "").strip().replace("\r\n", "\n")
        section, _, name = field.name.rpartition(".")
        if field.kind == Kind.SECRET and not text and name in before:
            made[name] = before[name]
        elif text != field.default and (text or field.kind in EMPTY):
            value = restored(_value(field.kind, text), before.get(name))
            (made.setdefault(section, {}) if section else made)[name] = value
    return made


def plain(model: type[Section], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a program says of a section, as TOML has it.

    Raises:
        ValidationError: it is not as it must be.
    """
    made = model.model_validate(given)
    told = made.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    secrets = {name: value.get_secret_value() for name, value in made if isinstance(value, SecretStr)}
    return {name: secrets.get(name, value) for name, value in told.items()}


def problems(model: type[Section], made: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a section, by field."""
    try:
        model.model_validate(made)
    except ValidationError as error:
        return {
            ".".join(str(part) for part in each["loc"] if isinstance(part, str) and part.isidentifier()): each[
                "msg"
            ].removeprefix("Value error, ")
            for each in error.errors()
        }
    return {}


def marked(shown: list[Field], wrong: Mapping[str, str], form: Mapping[str, str]) -> list[Field]:
    """The fields as somebody filled them in, with what is wrong beside each."""
    return [
        replace(
            field,
            value="" if field.kind == Kind.SECRET else form.get(field.name, ""),
            problem=wrong.get(field.name, ""),
        )
        for field in shown
    ]


# What an annotation asks for


def _inner(annotation: Any) -> list[Any]:  # noqa: ANN401 - annotations are of any type
    """The types that are possible, without None and what is said beside them."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for each in get_args(annotation) if each is not NoneType for inner in _inner(each)]
    return [annotation]


def _section(annotation: Any) -> type[Section] | None:  # noqa: ANN401
    first = _inner(annotation)[0]
    return first if isinstance(first, type) and issubclass(first, Section) else None


_KINDS = {
    bool: Kind.FLAG,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    Path: Kind.TEXT,
    SecretStr: Kind.SECRET,
}


def _kind(annotation: Any) -> Kind | None:  # noqa: ANN401
    first = _inner(annotation)[0]
    match get_origin(first):
        case None:
            return _KINDS.get(first)
        case origin if origin is Literal:
            return Kind.CHOICE
        case origin if origin is dict:
            return Kind.TABLE
        case origin if origin is list:
            return None if _section(get_args(first)[0]) else Kind.LIST
    return None


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(str(each) for each in get_args(_inner(annotation)[0]))


def _default(info: FieldInfo) -> object:
    return None if info.is_required() else info.get_default(call_default_factory=True)


def _shown(kind: Kind, value: Any) -> str:  # noqa: ANN401
    if value is None or kind == Kind.SECRET:
        return ""
    match kind:
        case Kind.FLAG:
            return "yes" if value else ""
        case Kind.LIST:
            return ", ".join(map(str, value))
        case Kind.TABLE:
            return tomli_w.dumps(redacted(value)).strip()
        case Kind.NUMBER:
            return f"{value:g}" if isinstance(value, float) else str(value)
    return str(value)


def _value(kind: Kind, text: str) -> Any:  # noqa: ANN401
    """As TOML has it; what is no number stays text, which the section then refuses in words."""
    match kind:
        case Kind.FLAG:
            return text == "yes"
        case Kind.LIST:
            return [item.strip() for item in text.split(",") if item.strip()]
        case Kind.NUMBER:
            return _number(text)
        case Kind.TABLE:
            return _table(text)
    return text


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text.replace(",", "."))
        except ValueError:
            continue
    return text


def _table(text: str) -> dict[str, Any] | str:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return text

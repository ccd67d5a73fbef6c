"""Lists of calls that other systems write: CSV with a heading, or JSON (a list, or an object a line)."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from srs.archive.errors import UnreadableList
from srs.config.reconcile import ReconcileSettings

_THREE_CX: Final = {"start": "Call Time", "seconds": "Talking", "answered": "Status=Answered"}
LIKE: Final[Mapping[str, Mapping[str, str]]] = {
    "freepbx": {
        "start": "calldate",
        "time_format": "%Y-%m-%d %H:%M:%S",
        "seconds": "billsec",
        "caller": "src",
        "callee": "dst",
        "call_id": "uniqueid",
        "answered": "disposition=ANSWERED",
    },
    "3cx": _THREE_CX | {"caller": "From", "callee": "To"},
    "3cx-18": _THREE_CX | {"caller": "Caller ID", "callee": "Destination"},
    "broadworks": {
        "start": "answerTime",
        "time_format": "%Y%m%d%H%M%S.%f",
        "end": "releaseTime",
        "caller": "callingNumber",
        "callee": "calledNumber",
        "call_id": "localCallId",
        "answered": "answerIndicator=Yes*",
    },
    "telnyx": {
        "start": "data.payload.start_time",
        "end": "data.occurred_at",
        "caller": "data.payload.from",
        "callee": "data.payload.to",
        "call_id": "data.payload.call_session_id",
        "answered": "data.event_type=call.hangup",
    },
}
"""The settings that stand for `[reconcile] like`."""

_NAMED = re.compile(r".*[(<]\s*(?P<number>[^()<>]*[0-9][^()<>]*?)\s*[)>]\s*", re.DOTALL)
"""A number behind a name: `Anna (201)`, `"Anna" <201>`."""


@dataclass(frozen=True, slots=True)
class Cdr:
    """A call as the other system tells it."""

    line: int
    """Of the list, from 1; the heading of a CSV is one."""
    started_at: datetime
    seconds: float
    caller: str
    callee: str
    call_id: str | None


def read(path: Path, settings: ReconcileSettings) -> list[Cdr]:
    """The answered calls of a list, in order of time.

    Raises:
        UnreadableList: a column is not there or not set, or a value cannot be read; file and line are named.
        OSError: the file cannot be read.
    """
    columns = _columns(settings)
    found = []
    for line, row in _rows(path):
        try:
            if _is_answered(row, columns.get("answered")):
                found.append(_cdr(line, row, columns, settings.time_zone))
        except (KeyError, ValueError, OverflowError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            raise UnreadableList(f"{path}, line {line}: {what}; [reconcile] tells the columns") from error
    return sorted(found, key=lambda cdr: (cdr.started_at, cdr.line))


def _columns(settings: ReconcileSettings) -> dict[str, str]:
    names = ("start", "time_format", "seconds", "end", "caller", "callee", "call_id", "answered")
    own = {name: value for name in names if (value := getattr(settings, name)) is not None}
    columns = {**LIKE.get(settings.like or "", {}), **own}
    length = "seconds" if "end" not in columns else "end"
    missing = [name for name in ("start", length, "caller", "callee") if name not in columns]
    if missing:
        raise UnreadableList(f"[reconcile] names no column for {', '.join(missing)}; set them, or `like`")
    return columns


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The lines with their numbers; the names of JSON objects within objects are joined by dots."""
    try:
        text = path.read_text("utf-8-sig")
        if text.lstrip().startswith(("{", "[")):
            yield from enumerate(map(_flat, _json(text)), start=1)
        else:
            dialect = csv.Sniffer().sniff(text.partition("\n")[0], ",;\t|")
            yield from enumerate(csv.DictReader(text.splitlines(), dialect=dialect), start=2)
    except (ValueError, csv.Error) as error:
        raise UnreadableList(f"{path}: neither CSV nor JSON: {error}") from error


def _json(text: str) -> Iterator[dict[str, Any]]:
    rows = json.loads(text) if text.lstrip().startswith("[") else map(json.loads, filter(str.strip, text.splitlines()))
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"{row!r} is no object")
        yield row


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{prefix}{name}.") if isinstance(inner, dict) else {prefix + name: inner}
    return found


def _is_answered(row: Mapping[str, Any], condition: str | None) -> bool:
    if condition is None:
        return True
    column, _, value = condition.partition("=")
    return fnmatchcase(str(row[column] or "").strip().casefold(), value.strip().casefold())


def _cdr(line: int, row: Mapping[str, Any], columns: Mapping[str, str], zone: str) -> Cdr:
    call_id = row[columns["call_id"]] if "call_id" in columns else None
    form = columns.get("time_format")
    started_at = _moment(str(row[columns["start"]]), form, zone)
    if "seconds" in columns:
        seconds = _seconds(str(row[columns["seconds"]]))
    else:
        seconds = (_moment(str(row[columns["end"]]), form, zone) - started_at).total_seconds()
    return Cdr(
        line=line,
        started_at=started_at,
        seconds=seconds,
        caller=_party(row[columns["caller"]]),
        callee=_party(row[columns["callee"]]),
        call_id=str(call_id).strip() or None if call_id is not None else None,
    )


def _party(value: object) -> str:
    text = str(value or "")
    named = _NAMED.fullmatch(text)
    return named["number"] if named else text


def _moment(text: str, form: str | None, zone: str) -> datetime:
    moment = datetime.strptime(text.strip(), form) if form else datetime.fromisoformat(text.strip())  # noqa: DTZ007
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _seconds(text: str) -> float:
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = 60 * seconds + float(part)
    return seconds

"""Secrets among settings: not shown and not in the audit, and kept when what was shown instead of them comes back."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

HIDDEN: Final = "•••"
_WORDS: Final = ("password", "secret", "key", "token")


def is_secret(name: str, value: object) -> bool:
    """Whether nobody is to read the value; the path of a file that holds one may be read."""
    return isinstance(value, str) and value != "" and not value.startswith("/") and any(word in name for word in _WORDS)


def redacted(value: Any, name: str = "") -> Any:  # noqa: ANN401 - settings are of any type
    """The same, with each secret hidden."""
    match value:
        case Mapping():
            return {key: redacted(each, key) for key, each in value.items()}
        case list():
            return [redacted(each, name) for each in value]
    return HIDDEN if is_secret(name, value) else value


def restored(value: Any, before: Any) -> Any:  # noqa: ANN401
    """The same, with what is hidden as it was before."""
    match value:
        case Mapping():
            known = before if isinstance(before, Mapping) else {}
            return {key: restored(each, known.get(key)) for key, each in value.items()}
        case list():
            others = before if isinstance(before, list) else []
            return [restored(each, other) for each, other in zip_longest(value, others[: len(value)])]
    return before if value == HIDDEN and isinstance(before, str) else value

"""The languages of the pages: English in the source, others in locales/; those of the settings apart."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Final

FOLDER: Final = Path(__file__).parent / "locales"
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "nl": "Nederlands"}

LONGEST: Final = 1000
"""Of a sentence that is looked up."""
_SENTENCES: Final = ("error", "why", "how", "message", "known", "may")
"""Names of what stands in a sentence and is one itself."""


@cache
def texts(language: str) -> Mapping[str, str]:
    """The texts of a language, by the English ones."""
    paths = (FOLDER / f"{language}.toml", FOLDER / f"settings.{language}.toml") if language in LANGUAGES else ()
    return {english: text for path in paths for english, text in tomllib.loads(path.read_text("utf-8")).items()}


@cache
def shapes(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """What errors say in a language, by the shape of the English sentence, those that are told most surely first."""
    path = FOLDER / f"errors.{language}.toml"
    if language not in LANGUAGES or not path.exists():
        return ()
    told = {each: said for part in tomllib.loads(path.read_text("utf-8")).values() for each, said in part.items()}
    return [(_shape(each), told[each]) for each in sorted(told, key=_fixed, reverse=True)]


def _shape(sentence: str) -> re.Pattern[str]:
    parts = Formatter().parse(sentence)
    return re.compile("".join(re.escape(fixed) + (_hole(name) if name else "") for fixed, name, *_ in parts))


def _hole(name: str) -> str:
    """What differs; only another sentence has a colon in it."""
    return f"(?P<{name}>.+)" if name in _SENTENCES else f"(?P<{name}>(?:(?!: ).)+?)"


def _fixed(sentence: str) -> int:
    """How many letters of a sentence are always the same."""
    return sum(len(fixed) for fixed, *_ in Formatter().parse(sentence))


class Speaker:
    """Says a text in a language; what stands in braces is filled in."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"

    def __call__(self, text: str, /, **values: object) -> str:
        said = texts(self.language).get(text, text)
        return said.format(**values) if values else said

    def explain(self, error: str) -> str:
        """What an error says; a sentence that is not known stays as it is.

        Errors speak English, to logs and programs too, and some come from another process: their Dutch is found by
        their shape, what they say of a place (`place: what`) without it.
        """
        return "\n".join(self._explained(line) if len(line) <= LONGEST else line for line in error.split("\n"))

    def _explained(self, line: str) -> str:
        parts = line.split(": ")
        for place in range(len(parts)):
            sentence = ": ".join(parts[place:])
            for shape, said in shapes(self.language):
                if found := shape.fullmatch(sentence):
                    values = {name: self._filled(name, value) for name, value in found.groupdict().items()}
                    return ": ".join([*parts[:place], said.format(**values)])
        return line

    def _filled(self, name: str, value: str) -> str:
        """What stands in a sentence: another one, words of the program's own, or a name, which stays."""
        if name in _SENTENCES:
            return self._explained(value)
        kind = name.removesuffix("s")
        known = texts(self.language)
        return ", ".join(known.get(each if kind == "role" else f"{kind} {each}", each) for each in value.split(", "))


def preferred(accepted: str) -> str:
    """Of an Accept-Language header, the first that we have."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1.0)
        except ValueError:
            weight = 0.0
        weighed.append((-weight, place, name.partition("-")[0].strip().lower()))
    return next((name for _, _, name in sorted(weighed) if name in LANGUAGES), "en")

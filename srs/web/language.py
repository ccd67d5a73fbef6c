"""The languages of the pages: English in the source, others in locales/; those of the settings apart."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "locales"
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "nl": "Nederlands"}


@cache
def texts(language: str) -> Mapping[str, str]:
    """The texts of a language, by the English ones."""
    paths = (FOLDER / f"{language}.toml", FOLDER / f"settings.{language}.toml") if language in LANGUAGES else ()
    return {english: text for path in paths for english, text in tomllib.loads(path.read_text("utf-8")).items()}


class Speaker:
    """Says a text in a language; what stands in braces is filled in."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"

    def __call__(self, text: str, /, **values: object) -> str:
        said = texts(self.language).get(text, text)
        return said.format(**values) if values else said


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

"""The pages speak every language whole."""

import re
import tomllib

import pytest

from srs.alarms import WHAT_TO_DO
from srs.privacy.roles import ROLES, Right
from srs.web import forms
from srs.web.language import FOLDER, Speaker, preferred, texts
from srs.web.pages import HERE
from srs.web.subjects import SUBJECTS

IN_TEMPLATES = re.compile(r"""_\(\s*(?:"([^"]+)"|'([^']+)')\s*[,)]""")
IN_CODE = re.compile(r"""\bsay\(\s*"([^"]+)\"""")
MENU = re.compile(r'\("/\w+", "(\w+)", "\w+"')


def said() -> set[str]:
    """All that the pages say, in English."""
    found = {
        one or two for path in HERE.glob("templates/*.html") for one, two in IN_TEMPLATES.findall(path.read_text())
    }
    found |= {text for path in HERE.glob("*.py") for text in IN_CODE.findall(path.read_text())}
    found |= set(MENU.findall((HERE / "pages.py").read_text()))
    made = set(tomllib.loads((FOLDER / "en.toml").read_text()))
    return {text for text in found if not text.endswith(" ")} | made | set(ROLES) | set(WHAT_TO_DO.values())


def said_of_settings() -> set[str]:
    """All that the pages say of the settings that they change."""
    asked = [field for subject in SUBJECTS.values() for field in forms.fields(subject.model, {})]
    names = {f"field {field.name.rpartition('.')[2]}" for field in asked}
    assert set(tomllib.loads((FOLDER / "settings.en.toml").read_text())) == names
    of_subjects = {text for subject in SUBJECTS.values() for text in (subject.title, subject.about)}
    return names | {field.meaning for field in asked} | of_subjects


def test_every_text_is_there_in_dutch_and_none_too_many():
    of_pages, of_settings = ({*tomllib.loads((FOLDER / name).read_text())} for name in ("nl.toml", "settings.nl.toml"))
    assert of_settings | of_pages == said() | said_of_settings()
    assert of_settings & of_pages == set()


def test_what_is_filled_in_is_the_same_in_both():
    for english, dutch in texts("nl").items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", dutch)), english


def test_every_alarm_has_a_name():
    assert {f"alarm {name}" for name in WHAT_TO_DO} <= set(tomllib.loads((FOLDER / "en.toml").read_text()))


def test_every_right_on_recordings_has_a_name():
    names = tomllib.loads((FOLDER / "en.toml").read_text())
    assert {f"right {right}" for role in ROLES.values() for right in role.possible} <= set(names)
    assert Speaker("en")(f"right {Right.LISTEN}") == "listen in"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("de,en;q=0.5,nl;q=0.7", "nl"),
        ("en,nl", "en"),
        ("", "en"),
        ("de", "en"),
        ("nl;q=x", "nl"),
    ],
)
def test_the_language_that_a_browser_prefers(accepted: str, language: str):
    assert preferred(accepted) == language

"""The pages speak every language whole."""

import re
import tomllib

import pytest

from srs.privacy.roles import ROLES, Right
from srs.web.language import FOLDER, Speaker, preferred
from srs.web.pages import HERE

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
    return {text for text in found if not text.endswith(" ")} | made | set(ROLES)


def test_every_text_is_there_in_dutch_and_none_too_many():
    assert set(tomllib.loads((FOLDER / "nl.toml").read_text())) == said()


def test_what_is_filled_in_is_the_same_in_both():
    for english, dutch in tomllib.loads((FOLDER / "nl.toml").read_text()).items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", dutch)), english


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

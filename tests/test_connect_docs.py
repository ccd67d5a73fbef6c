"""The pages about clients are whole, and their settings are such that the recorder takes."""

import re
import tomllib
from pathlib import Path

import pytest

from srs.config import PeerSettings

ROOT = Path(__file__).parent.parent
CONNECT = ROOT / "docs" / "connect"
PAGES = sorted(path.name for path in CONNECT.glob("*.md") if path.name != "README.md")


def test_ten_pages_each_in_the_index_and_the_readme():
    index, readme = (CONNECT / "README.md").read_text(), (ROOT / "README.md").read_text()
    assert len(PAGES) == 10
    for page in PAGES:
        assert f"]({page})" in index
        assert f"](docs/connect/{page})" in readme


@pytest.mark.parametrize("page", PAGES)
def test_each_says_what_to_set_there_what_comes_here_and_what_is_known(page):
    text = (CONNECT / page).read_text()
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == ["There", "Here", "Known"]


@pytest.mark.parametrize("page", PAGES)
def test_profiles_are_settings(page):
    blocks = re.findall(r"```toml\n(.*?)```", (CONNECT / page).read_text(), re.DOTALL)
    peers = [PeerSettings(**peer) for block in blocks for peer in tomllib.loads(block)["peer"]]
    assert peers


@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (CONNECT / page).read_text()):
        assert (CONNECT / target).exists(), target

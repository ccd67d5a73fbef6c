"""docs/interop.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "docs" / "interop.md").read_text().splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if re.match(r"\| \d", line)]


def test_there_are_rows():
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_names_an_existing_test(row):
    numbers, what, test = row
    file, _, name = test.strip("`").partition("::")
    assert re.fullmatch(r"\d{2,3}([,–] ?\d{2,3})*", numbers)
    assert what
    assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)

"""docs/interop.md has a row for each fact, and names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "docs" / "interop.md").read_text().splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if re.match(r"\| \d", line)]
NUMBERS = {*range(1, 9), *range(10, 20), *range(20, 28), *range(30, 45), 50, 51, *range(60, 81), *range(100, 119)} | {
    *range(130, 141), *range(200, 220), *range(300, 308), *range(400, 403)
}  # fmt: skip
"""Those of the facts, SRS-01 to SRS-402."""


def numbers(cell):
    """`01, 06` and `130–133` as numbers."""
    for part in cell.split(", "):
        first, _, last = part.partition("–")
        yield from range(int(first), int(last or first) + 1)


def test_each_fact_has_a_row_and_each_row_a_fact():
    assert {number for row in ROWS for number in numbers(row[0])} == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_names_an_existing_test(row):
    numbers, what, test = row
    file, _, name = test.strip("`").partition("::")
    assert re.fullmatch(r"\d{2,3}([,–] ?\d{2,3})*", numbers)
    assert what
    assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)

"""The OpenAPI document says what the API does: schemathesis, against a real server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.house import person, serving, token

from srs.privacy.roles import ROLES, Right, Scope, assignment
from srs.web.house import House

CONFIG = Path(__file__).parent / "schemathesis.toml"
SEED = "20261127"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With `root`, who may do everything."""
    with serving(tmp_path / "data") as made:
        officer, supervisor = (
            assignment(name, rights=ROLES[name].possible, scope=Scope.ALL) for name in ("privacy officer", "supervisor")
        )
        person(made, "root", assignment("administrator"), assignment("investigator"), officer, supervisor)
        yield made


def schemathesis(house: House, folder: Path, *options: str) -> None:
    """Run it from a folder of its own; it fails when it finds anything."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    address = [f"{house.url}/api/v1/openapi.json", "-H", f"Authorization: Bearer {token(house, 'root', *Right)}"]
    assert requests.get(address[0], timeout=60).ok  # made once: schemathesis waits for it less long
    usual = ["--exclude-path", "/test-call", "--no-color", "--seed", SEED, "--request-timeout", "60"]
    command = [program, "--config-file", str(CONFIG), "run", *address, *usual, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20000:]


@pytest.mark.timeout(900)
def test_every_path_does_what_the_document_says(house: House, tmp_path: Path):
    schemathesis(house, tmp_path, "--phases", "fuzzing", "--max-examples", "1")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_is_asked_and_in_whatever_order(house: House, tmp_path: Path):
    schemathesis(house, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "30")

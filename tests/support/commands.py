"""Commands run in the test's own process, which is quicker than one for each.

Import `at_home` and `srs` for commands with no settings but the test's.
"""

import contextlib
import functools
import io
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest
import typer
from sqlalchemy import Engine, create_engine

from srs import cli
from srs.archive import database


@functools.cache
def _app() -> object:
    """The command line; to make it takes longer than most commands."""
    return typer.main.get_command(cli.app)


def command(environment: Mapping[str, str], *words: object) -> tuple[int, str, str]:
    """Run `srs` with more in its environment: exit status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    umask = os.umask(0o077)
    try:
        with (
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", ["srs", *map(str, words)]),
            patch.object(cli, "app", _app()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _databases_closed(),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main()
    finally:
        os.umask(umask)
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _databases_closed() -> Iterator[None]:
    """As they are when a process ends."""
    opened: list[Engine] = []

    def create(url: str) -> Engine:
        opened.append(create_engine(url))
        return opened[-1]

    with patch.object(database, "create_engine", create):
        try:
            yield
        finally:
            for engine in opened:
                engine.dispose()


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No settings but those of the test, and a data folder of its own."""
    for name in [name for name in os.environ if name.upper().startswith("SRS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("TZ", "UTC")
    umask = os.umask(0o022)
    yield
    os.umask(umask)


@pytest.fixture
def srs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs one command: exit status, standard output, standard error."""
    app = _app()

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["srs", *map(str, words)])
        with patch.object(cli, "app", app), pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run

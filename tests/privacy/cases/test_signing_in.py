"""Who gives `srs case` commands: by password and code, or by token."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from srs import cli
from srs.archive.database import connect, writing
from srs.privacy import second_factor, users
from srs.privacy.errors import Refused, SignInRefused
from srs.privacy.roles import assignment

PASSWORD = "correct horse battery"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = connect(f"sqlite:///{tmp_path}/recordings.sqlite")
    with writing(engine) as session:
        user, _ = users.add(session, "ivy", datetime.now(UTC))
        users.give(session, user, assignment("investigator"))
    return engine


@pytest.fixture
def ask(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """`srs case list`, with what is typed; what it raises, or its exit status."""
    monkeypatch.delenv("SRS_TOKEN", raising=False)

    def run(*words: str, typed: str = "", **environment: str) -> object:
        argv = ["case", "list", *words, "--data", str(tmp_path)]
        ended = CliRunner().invoke(cli.app, argv, input=typed, env=environment)
        return ended.exception or ended.exit_code

    return run


def test_by_password_and_code(engine: Engine, ask: Callable[..., object]):
    assert isinstance(ask("--as", "ivy", typed="wrong wrong wrong\n"), SignInRefused)
    with writing(engine) as session:
        once = users.set_one_time_password(session, users.get(session, "ivy"), datetime.now(UTC))
    assert isinstance(ask("--as", "ivy", typed=f"{once}\n"), Refused)
    with writing(engine) as session:
        users.set_password(session, users.get(session, "ivy"), PASSWORD)
    assert ask("--as", "ivy", typed=f"{PASSWORD}\n") == 0
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    with writing(engine) as session:
        user = users.get(session, "ivy")
        secret = second_factor.begin(user)
        second_factor.finish(session, user, pyotp.TOTP(secret).at(earlier), earlier)
    assert ask("--as", "ivy", typed=f"{PASSWORD}\n{pyotp.TOTP(secret).now()}\n") == 0
    assert isinstance(ask("--as", "ivy", typed=f"{PASSWORD}\n000000\n"), SignInRefused)


def test_a_token_or_nothing(ask: Callable[..., object]):
    assert isinstance(ask(SRS_TOKEN="srs_made_up"), Refused)
    assert isinstance(ask(), SystemExit)

"""What every page needs: settings, database, store, who may hear what."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from srs.archive.database import connect
from srs.archive.store import Store, open_store
from srs.config import Settings
from srs.live.board import Board
from srs.live.listeners import Listeners
from srs.privacy.guard import Guard
from srs.privacy.roles import Person, Right


@dataclass(frozen=True)
class House:
    """One recorder, as its pages see it."""

    settings: Settings
    config: Path | None
    """The settings file that was named."""
    engine: Engine
    store: Store
    guard: Guard
    """Who may do what."""
    board: Board
    """Calls under way."""
    listeners: Listeners
    """Who listens in to them."""
    renew: Callable[[], bool]
    """Have the recorder's processes replaced; False: there are none."""
    leaving: threading.Event = field(default_factory=threading.Event)
    """Set when this process is about to end."""
    known: dict[tuple[Person, str, str | None], tuple[float, frozenset[Right]]] = field(default_factory=dict)
    """What somebody may do with a call under way, by its id and purpose, and until when that is taken for known."""

    @property
    def url(self) -> str:
        return self.settings.web.listen

    @property
    def cookie(self) -> str:
        """Name of the session's cookie: browsers let only the host itself set the first, and only by TLS."""
        return "__Host-srs" if self.settings.web.secure else "srs"


def open_house(settings: Settings, config: Path | None = None, renew: Callable[[], bool] = lambda: False) -> House:
    """
    Raises:
        DatabaseError, StoreError: one of them is not to be had.
    """
    engine, store = connect(settings.database_url), open_store(settings.store_url, settings.keys_dir)
    return House(settings, config, engine, store, Guard(engine, settings), Board(settings), Listeners(), renew)

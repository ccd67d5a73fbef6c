"""The web process: pages, API, listening in.

    python -m srs.web.server [--config FILE] [--data DIR] [--channel DESCRIPTOR]

It ends on SIGTERM, when it is told to leave, or when the keeper at the other end of the channel is gone. Where the
address is taken or the database is away it waits: nothing that records depends on it.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from srs import config, log
from srs.archive.errors import ArchiveError
from srs.privacy import users
from srs.web import certificate
from srs.web.app import application
from srs.web.house import House, open_house
from srs.web.keeper import Keeper

logger = structlog.get_logger()

T = TypeVar("T")
NICENESS: Final = 5
SHORTEST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
LINGER_S: Final = 2
"""That pages which are being sent may take at the end, and before that who has come and not asked yet."""
HANDSHAKE_S: Final = 0.5
"""That TLS may take at the end with who has just come."""
LOOK_S: Final = 0.05


class _Server(uvicorn.Server):
    """Ends when it is told to by `stop`; signals are ours."""

    on_serving: Callable[[], None]
    on_leaving: Callable[[], Awaitable[None]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_serving()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.gather(self._hear_out(), self.on_leaving())
        await super().shutdown(sockets)

    async def _hear_out(self) -> None:
        """Wait for the first request of those who were accepted here, on whom uvicorn would hang up: a successor hears
        only who comes now. Who has had a page asks the successor for the next."""
        begin = time.monotonic()
        earliest_s = HANDSHAKE_S if self.config.is_ssl else 0.0  # before that they are not among the connections
        while True:
            came = [each for each in self.server_state.connections if isinstance(each, H11Protocol)]
            for each in came:
                if each.cycle is not None:
                    each.shutdown()
            took_s = time.monotonic() - begin
            if took_s >= LINGER_S or (took_s >= earliest_s and all(each.cycle is not None for each in came)):
                return
            await asyncio.sleep(LOOK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def watch(self, stop: threading.Event) -> None:
        stop.wait()
        self.should_exit = True


def main() -> None:
    parser = argparse.ArgumentParser(prog="srs.web.server")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--channel", type=int)
    arguments = parser.parse_args()
    log.configure()
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    os.umask(0o077)
    settings = config.load(arguments.config, arguments.data)
    keeper, stop = Keeper(arguments.channel), _stop()
    keeper.follow(stop)
    house = _patiently(lambda: open_house(settings, arguments.config, keeper.renew), stop)
    end = _patiently(lambda: bind(settings, keeper.listener), stop) if house else None
    if house and end:
        _welcome(house)
        serve(house, end, stop, keeper.serving)


def _stop() -> threading.Event:
    """Set by a signal."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _patiently(attempt: Callable[[], T], stop: threading.Event) -> T | None:
    """What an attempt gives, as soon as it succeeds; None if it is time to stop before."""
    pause = SHORTEST_PAUSE_S
    while True:
        try:
            return attempt()
        except (ArchiveError, OSError) as error:
            logger.error("no web pages yet", reason=str(error), again_in_s=pause)
        if stop.wait(pause):
            return None
        pause = min(2 * pause, LONGEST_PAUSE_S)


def bind(settings: config.Settings, held: socket.socket | None = None) -> socket.socket:
    """The socket that pages are asked for at: that of the process before, if it has the right address.

    Raises:
        OSError: the address is not to be had.
    """
    address = settings.web.address
    assert address is not None
    if held is not None and held.getsockname()[:2] == address:
        return held
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except OSError as error:
        raise OSError(f"{settings.web.listen}: {error.strerror}: choose another address, [web] listen") from error


def _welcome(house: House) -> None:
    """Say where the pages are, and to the first administrator how to get in. The password is shown this once."""
    now, lifetime = datetime.now(UTC), timedelta(hours=house.settings.access.one_time_hours)
    if password := users.first_administrator(house.engine, now, lifetime=lifetime):
        known = {"name": users.FIRST, "one_time_password": password, "sign_in": house.url}
        logger.warning("first administrator made", **known, before=str(now + lifetime)[:16])
    logger.info("web pages", address=house.url)


def serve(
    house: House,
    end: socket.socket,
    stop: threading.Event,
    on_serving: Callable[[socket.socket], None] = lambda _: None,
) -> None:
    """Serve until told to stop.

    Args:
        on_serving: called when pages are answered.
    """
    tls: dict[str, Path] = {}
    if house.settings.web.secure:
        chain, key = certificate.files(house.settings, datetime.now(UTC))
        tls = {"ssl_certfile": chain, "ssl_keyfile": key}
        logger.info("certificate of the web pages", file=str(chain), sha256=certificate.fingerprint(chain))
    server = _Server(
        uvicorn.Config(
            application(house),
            http=H11Protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=LINGER_S,
            **{name: str(path) for name, path in tls.items()},  # type: ignore[arg-type] # all of them are paths
        )
    )
    server.on_serving, server.on_leaving = partial(on_serving, end), partial(_take_leave, house)
    threading.Thread(target=server.watch, args=(stop,), daemon=True).start()
    server.run([end])


async def _take_leave(house: House) -> None:
    """Let go of those who would stay."""
    house.leaving.set()
    await house.listeners.end()


if __name__ == "__main__":
    main()

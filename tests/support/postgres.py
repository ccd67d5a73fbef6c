"""A PostgreSQL server of the tests' own: Debian's programs on a folder that goes with it."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from support.recorder import free_port

QUICK = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]


def programs() -> Path | None:
    """Where initdb and postgres are; None: there is no server on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


class Server:
    """A running server. Each `database()` is new, and empty as its template."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._numbers = itertools.count(1)

    def database(self, template: str = "template1") -> str:
        """The URL of a new database, as `[database] url` wants it."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"


@contextmanager
def server(options: Sequence[str] = QUICK) -> Iterator[Server]:
    """Run one; as the user postgres where we are root, because PostgreSQL refuses to be."""
    found = programs()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="srs-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data, port = folder / "data", free_port("127.0.0.1")
    made = [
        found / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--locale=C.UTF-8",
    ]
    subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
    told = " ".join(["-h 127.0.0.1", f"-p {port}", f"-k {folder}", *options])
    control = [found / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    try:
        subprocess.run([*control, "-o", told, "start"], check=True, capture_output=True, user=user, cwd=folder)
        yield Server(folder, port)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, user=user, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)

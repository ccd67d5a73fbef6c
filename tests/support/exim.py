"""Exim as Debian has it: a mail server of other people's making, with STARTTLS and AUTH, as an ordinary user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

from support.recorder import free_port, until
from support.smtp import PASSWORD, USER

PROGRAM = Path("/usr/sbin/exim4")
CONFIGURATION = """\
primary_hostname = exim.example.com
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
exim_user = {user}
exim_group = {group}
deliver_drop_privilege
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
keep_environment =
acl_smtp_rcpt = recipients
acl_smtp_data = accept
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}

begin acl
recipients:
  deny local_parts = unknown
       message = no such user
  defer local_parts = full
       message = mailbox full
  accept authenticated = *
  deny message = sign in first

begin routers
all:
  driver = accept
  transport = files

begin transports
files:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  envelope_to_add
  user = {user}
  group = {group}

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{name}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
"""


class Server:
    """A running server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def delivered(self) -> list[Path]:
        """Mails in its mailbox."""
        return sorted((self.folder / "mail" / "new").glob("*"))


@contextmanager
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """Run one; as the user nobody where we are root."""
    folder, port = Path(tempfile.mkdtemp(prefix="srs-exim-")), free_port("127.0.0.1")
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    for source, name in zip(certificate, ("server.pem", "server.key"), strict=True):
        shutil.copy(source, folder / name)
    told = {"user": user.pw_uid, "group": user.pw_gid, "port": port, "name": USER, "password": PASSWORD}
    (folder / "configuration").write_text(CONFIGURATION.format(folder=folder, **told))
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen([PROGRAM, "-C", folder / "configuration", "-bdf"], cwd=folder, **who)
    try:
        until(lambda: _listens(port), lambda: f"Exim does not listen: {process.poll()}")
        yield Server(folder, port)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True

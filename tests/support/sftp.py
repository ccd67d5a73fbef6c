"""An SFTP server on a folder, in a thread: paramiko's, with as much as copies need."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface

USER, PASSWORD = "srs", "geheim"


class _Server(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, number: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Folder(SFTPServerInterface):
    root: Path

    def _path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def mkdir(self, path: str, attributes: SFTPAttributes) -> int:
        try:
            self._path(path).mkdir()
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        return paramiko.SFTP_OK

    def open(self, path: str, flags: int, attributes: SFTPAttributes) -> SFTPHandle | int:
        handle = SFTPHandle(flags)
        try:
            file = os.fdopen(os.open(self._path(path), flags, 0o600), "wb")
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        handle.writefile = file
        return handle

    def stat(self, path: str) -> SFTPAttributes | int:
        try:
            return SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def remove(self, path: str) -> int:
        try:
            self._path(path).unlink()
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        return paramiko.SFTP_OK

    def posix_rename(self, old: str, new: str) -> int:
        self._path(old).replace(self._path(new))
        return paramiko.SFTP_OK


@contextmanager
def server(root: Path) -> Iterator[tuple[int, paramiko.PKey]]:
    """Run one; gives its port and its key."""
    key = paramiko.ECDSAKey.generate()
    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        folder = type("Folder", (_Folder,), {"root": root})

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                transport = paramiko.Transport(connection)
                transports.append(transport)
                transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", SFTPServer, folder)
                transport.start_server(threading.Event(), _Server())

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], key
        for transport in transports:
            transport.close()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()

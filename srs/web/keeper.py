"""The keeper, as the process of the pages knows it: holds their socket, says when to go, replaces processes."""

import json
import socket
import threading
from typing import Final

GREETING_S: Final = 1.0
"""A keeper of an earlier release says nothing at first."""
LARGEST: Final = 1 << 18


class Keeper:
    """The other end of a channel; without one there is nobody there."""

    def __init__(self, channel: int | None) -> None:
        """
        Args:
            channel: its descriptor.
        """
        self._end = None if channel is None else socket.socket(fileno=channel)
        self.is_there = False
        self.listener = self._greeting()
        """The socket that pages are asked for at, if it is held."""

    def _greeting(self) -> socket.socket | None:
        if self._end is None:
            return None
        self._end.settimeout(GREETING_S)
        try:
            data, descriptors, _, _ = socket.recv_fds(self._end, LARGEST, 1)
        except TimeoutError:
            return None
        finally:
            self._end.settimeout(None)
        self.is_there = bool(data)
        return socket.socket(fileno=descriptors[0]) if descriptors else None

    def follow(self, stop: threading.Event) -> None:
        """Set when this process is to go: whatever the keeper says from now on means that, or that it is gone."""
        if self._end is not None:
            threading.Thread(target=self._follow, args=(self._end, stop), daemon=True).start()

    def _follow(self, end: socket.socket, stop: threading.Event) -> None:
        end.recv(LARGEST)
        stop.set()

    def serving(self, listener: socket.socket) -> None:
        """This process answers at a socket: the one before it may go."""
        if self._end is not None:
            socket.send_fds(self._end, [b'{"do": "serving"}'], [listener.fileno()])

    def renew(self) -> bool:
        """Have all processes replaced, so that they read the settings; calls go on. Whether it is done."""
        if self._end is None or not self.is_there:
            return False
        self._end.send(json.dumps({"do": "renew"}).encode())
        return True

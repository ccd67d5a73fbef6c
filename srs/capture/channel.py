"""Messages between the recorder's processes: JSON over a SOCK_SEQPACKET pair, with descriptors by SCM_RIGHTS."""

import array
import json
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]

LARGEST = 1 << 18  # octets of one message
MOST_DESCRIPTORS = 253  # SCM_MAX_FD of Linux


class ChannelClosed(Exception):
    """The process at the other end is gone."""


class TooLarge(ValueError):
    """A message has more than `LARGEST` octets."""


class Channel:
    """One end of a channel. Sending never blocks: what the other end cannot take yet waits in `backlog`."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.backlog: deque[tuple[bytes, Sequence[int]]] = deque()

    @staticmethod
    def pair() -> tuple["Channel", socket.socket]:
        """A channel, and the end to hand to another process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * LARGEST)
        return Channel(ours), theirs

    def fileno(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        self._end.close()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send, or queue behind what waits. The descriptors must stay open until `backlog` is empty.

        Raises:
            TooLarge: nothing is sent.
            ChannelClosed: the other end is gone.
        """
        data = json.dumps(message).encode()
        if len(data) > LARGEST:
            raise TooLarge(f"{len(data)} octets")
        self.backlog.append((data, descriptors))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the other end takes it.

        Raises:
            ChannelClosed: the other end is gone.
        """
        while self.backlog:
            data, descriptors = self.backlog[0]
            try:
                self._send(data, descriptors)
            except BlockingIOError:
                return
            except OSError as error:
                raise ChannelClosed from error
            self.backlog.popleft()

    def _send(self, data: bytes, descriptors: Sequence[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self._end.sendmsg([data], rights)

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and the descriptors that came with it, or None if there is none yet.

        Raises:
            ChannelClosed: the other end is gone.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self._end, LARGEST, MOST_DESCRIPTORS)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosed from error
        if not data:
            raise ChannelClosed
        return json.loads(data.decode()), descriptors

"""The few words that systemd wants to hear from a service of Type=notify (sd_notify(3)); without systemd nothing."""

import os
import socket


class Notifier:
    """Tells the service manager that the recorder is ready, alive, stopping."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        self.alive_every_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6 or None
        """How often `alive` is to be said; None: nobody listens."""
        self._due = 0.0

    def ready(self) -> None:
        self._say("READY=1")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def alive(self, now: float) -> None:
        """Say that the process is alive, if it is time to (monotonic seconds)."""
        if self.alive_every_s is not None and now >= self._due:
            self._due = now + self.alive_every_s
            self._say("WATCHDOG=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.setblocking(False)
            try:
                notify.sendto(words.encode(), self._address)
            except OSError:
                return  # a service manager that does not listen must not stop the recorder

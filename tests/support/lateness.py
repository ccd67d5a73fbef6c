"""How late a busy machine wakes who sleeps: what no program can be blamed for."""

import threading
import time

NAP_S = 0.002


class Lateness:
    """`with Lateness() as lateness: …`, then `lateness.longest_s`."""

    def __enter__(self) -> "Lateness":
        self.longest_s = 0.0
        self._over = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    def _watch(self) -> None:
        while not self._over:
            before = time.monotonic()
            time.sleep(NAP_S)
            self.longest_s = max(self.longest_s, time.monotonic() - before - NAP_S)

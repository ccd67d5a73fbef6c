"""On the path of a recorder under test: its signalling dies when a test says so, counted in calls of functions.

The file named by SRS_TEST_DEATH holds a number: signalling ends itself at so many calls of functions of the recorder
after the first that is handed an INVITE. The file is removed before, so that the successor lives.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

ORDER = Path(os.environ.get("SRS_TEST_DEATH", "/nonexistent"))
SOURCES = f"{os.sep}srs{os.sep}"


class Death:
    """A profile function of the interpreter."""

    def __init__(self) -> None:
        self.calls_left: int | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or SOURCES not in frame.f_code.co_filename:
            return
        if self.calls_left is None:
            self._look(frame)
        elif self.calls_left > 0:
            self.calls_left -= 1
        if self.calls_left == 0:
            ORDER.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    def _look(self, frame: FrameType) -> None:
        values = list(frame.f_locals.values())  # of a call that begins: its arguments
        if any(isinstance(value, bytes) and value.startswith(b"INVITE ") for value in values):
            with suppress(FileNotFoundError):
                self.calls_left = int(ORDER.read_text())


if "srs.capture.signalling" in sys.orig_argv:
    sys.setprofile(Death())

"""What a module says of a task that it could not do.

HandoffError
  NotNow        trying again later may help
  Waits         it must wait for something that is no fault, such as a legal hold
  NeedsPerson   trying again does not help
  Gone          its recording was deleted while it was under way
NoTask          no task has this number, or not in a state that allows it
"""

from datetime import timedelta

from srs.archive.errors import ArchiveError


class HandoffError(Exception):
    """The message says what happened, in words for the person who looks at the task."""


class NotNow(HandoffError):
    """Trying again later may help."""


class Waits(HandoffError):
    """It must wait for something that is no fault; this is no attempt.

    Args:
        reason: for what.
        pause: until it is looked at again.
    """

    def __init__(self, reason: str, pause: timedelta) -> None:
        super().__init__(reason)
        self.pause = pause


class NeedsPerson(HandoffError):
    """Trying again does not help; a person must mend something first."""


class Gone(HandoffError):
    """Its recording was deleted while it was under way: there is nothing left to do."""


class NoTask(ArchiveError):
    """No task has this number, or not in a state that allows what was asked."""

"""Letters to somebody that are about no single recording: mailed as tasks, see `srs.handoff.mail.letter`."""

from srs.handoff.tasks import Wanted

KIND = "letter"


def letter(key: str, name: str, to: str | None, subject: str, text: str) -> Wanted:
    """The task that mails a letter.

    Args:
        key: the same letter is not sent twice.
        name: of the rule that it is written by.
        to: the address; None: the task needs a person, who hands it over.
    """
    payload = {"to": to, "subject": subject, "text": text}
    return Wanted(KIND, None, name=name, payload=payload, about=key)

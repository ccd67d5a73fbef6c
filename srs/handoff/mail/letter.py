"""The module that mails what is written already: letters to somebody that are about no single recording."""

import hashlib
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from srs.handoff.errors import NeedsPerson, NotNow
from srs.handoff.mail.deliver import Postman
from srs.handoff.module import Job


class Letters:
    """The module, for all rules."""

    def __init__(self, postman: Postman) -> None:
        self._postman = postman

    def run(self, job: Job) -> None:
        """Send it; done when the server has accepted it."""
        told = job.task.payload
        if told["to"] is None:
            raise NeedsPerson(f"{told['subject']!r} has nobody's address: hand it over, then srs tasks cancel")
        job.context.witness("mail", f"task:{job.task.id}", {"rule": job.task.name, "to": [told["to"]]})
        answer = self._postman.send(job.context, [told["to"]], self._mail(job))[told["to"]]
        said = f"{answer.server}: {answer.code} {answer.reply}"
        if answer.refused:
            raise NeedsPerson(said)
        if not answer.accepted:
            raise NotNow(said)

    def _mail(self, job: Job) -> EmailMessage:
        told, sender = job.task.payload, self._postman.sender
        mail = EmailMessage(policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = sender, told["to"], told["subject"]
        mail["Date"] = format_datetime(job.task.created_at)
        digest = hashlib.sha256(job.task.key.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"  # the same at every attempt
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(told["text"])
        return mail

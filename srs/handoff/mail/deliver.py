"""The module that mails recordings."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage

import structlog
from sqlmodel import Session, select

from srs.archive.database import reading, writing
from srs.archive.nodes import living
from srs.archive.subject import subject
from srs.config import Settings
from srs.config.mail import MailRule
from srs.handoff import links
from srs.handoff.delete import delete_when_handed_over
from srs.handoff.errors import NeedsPerson, NotNow
from srs.handoff.mail.attachment import Attachment, attachments
from srs.handoff.mail.message import Letter, compose, message_id
from srs.handoff.mail.recipients import recipients
from srs.handoff.mail.relay import Answer, Relays
from srs.handoff.module import Also, Context, Job
from srs.handoff.tables import Delivery

log = structlog.get_logger()


class Mail:
    """Mails recordings as one rule says. All rules share the servers and the rate."""

    def __init__(self, settings: Settings, rule: MailRule, postman: "Postman") -> None:
        self._settings, self._rule, self._postman = settings, rule, postman

    def run(self, job: Job) -> Also | None:
        """Send what is still to be sent to those who have not got it; done when every server accepted."""
        sender, wanted = self._postman.sender, self._recipients(job)
        said: list[Answer] = []
        until: datetime | None = None
        for letter, attachment in self._letters(job, sender, wanted):
            until = letter.link_until
            said += self._send(job, letter, attachment)
        refused = [answer for answer in said if answer.refused]
        later = [answer for answer in said if not answer.accepted and not answer.refused]
        if later:
            raise NotNow(f"{later[0].server}: {later[0].code} {later[0].reply}")
        if refused:
            raise NeedsPerson(f"{refused[0].server}: {refused[0].code} {refused[0].reply}")
        return self._after(job, until)

    def _recipients(self, job: Job) -> list[str]:
        row = job.recording
        found = recipients(self._rule, subject(row, self._settings.numbers, self._settings.group), self._settings)
        if not found:
            raise NeedsPerson(f"[[mail.rule]] {self._rule.name}: nobody to send it to: {', '.join(self._rule.to)}")
        return found

    def _letters(self, job: Job, sender: str, wanted: list[str]) -> Iterator[tuple[Letter, Attachment | None]]:
        limit = min(int(self._rule.max_mb * 1e6), self._postman.relays.size() or 1 << 62)
        files = attachments(job, self._rule, limit)
        if files is None:
            yield self._with_link(job, sender, wanted), None
            return
        for number, file in enumerate(files, 1):
            yield Letter(self._rule, sender, wanted, number, len(files)), file

    def _with_link(self, job: Job, sender: str, wanted: list[str]) -> Letter:
        base = self._settings.mail.link_url
        if base is None:
            raise NeedsPerson("too large for a mail in every format, and there is no [mail] link_url for a link")
        now = job.context.now()
        until = now + timedelta(days=self._rule.link_days)
        with writing(job.context.engine) as session:
            token = links.make(session, job.recording.id, f"mail {self._rule.name}: {', '.join(wanted)}", now, until)
        return Letter(self._rule, sender, wanted, link=f"{base.rstrip('/')}/link/{token}", link_until=until)

    def _send(self, job: Job, letter: Letter, attachment: Attachment | None) -> Iterator[Answer]:
        """Send one mail to those who have not got it; yields what was said of them. It is noted at once."""
        name = self._rule.name if letter.parts == 1 else f"{self._rule.name} {letter.part}/{letter.parts}"
        with reading(job.context.engine) as session:
            before = _deliveries(session, job.recording.id, name)
        refused = {to: row for to, row in before.items() if _is_settled(row, job) and not row.accepted}
        yield from (Answer(row.code, row.reply, row.server) for row in refused.values())
        missing = [to for to in letter.recipients if to not in before or not _is_settled(before[to], job)]
        if not missing:
            return
        job.context.witness("mail", f"recording:{job.recording.id}", {"rule": name, "to": missing})
        answers = self._postman.send(job.context, missing, compose(job.recording, letter, attachment))
        self._note(job, name, message_id(job.recording, self._rule.name, letter.sender, letter.part), answers)
        news = {to: said for to, said in answers.items() if said.refused and to not in refused}
        if news:
            self._postman.tell_admin(job, self._rule.name, news)
        yield from answers.values()

    def _note(self, job: Job, name: str, id_: str, answers: dict[str, Answer]) -> None:
        with writing(job.context.engine) as session:
            for recipient, said in answers.items():
                row = Delivery(
                    recording_id=job.recording.id,
                    rule=name,
                    recipient=recipient,
                    message_id=id_,
                    accepted=said.accepted,
                    code=said.code,
                    reply=said.reply,
                    server=said.server,
                    at=job.context.now(),
                )
                session.merge(row)
                log.info("mail", recording=job.recording.id, rule=name, to=recipient, code=said.code, reply=said.reply)

    def _after(self, job: Job, until: datetime | None) -> Also | None:
        """What all have is deleted, if the rule says so; what they were sent a link to, when that is over."""
        if not self._rule.delete_after:
            return None
        now = job.context.now()

        def note(session: Session) -> None:
            source = f"mail {self._rule.name}"
            delete_when_handed_over(session, job.recording.id, source, until or now, now)

        return note


def _is_settled(row: Delivery, job: Job) -> bool:
    """Accepted; or refused for good, unless a person has it tried anew."""
    return row.accepted or (row.code >= 500 and job.task.attempts > 1)


def _deliveries(session: Session, recording: str, name: str) -> dict[str, Delivery]:
    query = select(Delivery).where(Delivery.recording_id == recording, Delivery.rule == name)
    return {each.recipient: each for each in session.exec(query)}


class Postman:
    """Hands mail to servers, no faster than allowed: each recorder that shares the archive has its part of the rate."""

    def __init__(self, settings: Settings) -> None:
        mail = settings.mail
        self.relays, self._admin, self._sender = Relays(mail.server), mail.admin, mail.sender
        self._pause_s, self._next = 60.0 / mail.per_minute, 0.0

    @property
    def sender(self) -> str:
        """Who mail is from.

        Raises:
            NeedsPerson: nobody is set.
        """
        if self._sender is None:
            raise NeedsPerson("[mail] sender is not set")
        return self._sender

    def send(self, context: Context, to: list[str], mail: EmailMessage) -> dict[str, Answer]:
        """What the server said for each recipient.

        Raises:
            NotNow: no server is to be had.
        """
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._pause_s * max(1, living(context.engine, context.now()))
        return self.relays.send(self.sender, to, mail.as_bytes())

    def tell_admin(self, job: Job, rule: str, refused: dict[str, Answer]) -> None:
        """Mail that somebody's server refused a mail; a failure of that is only logged."""
        if not self._admin:
            return
        mail, recording = EmailMessage(policy.SMTP), job.recording.id
        mail["From"], mail["To"] = self.sender, ", ".join(self._admin)
        mail["Subject"] = f"Recording {recording}: mail refused"
        mail["Auto-Submitted"] = "auto-generated"
        lines = [f"{to}: {said.server} says {said.code} {said.reply}" for to, said in refused.items()]
        what = "The recording is kept. See srs tasks --failed; then srs tasks retry or cancel."
        mail.set_content("\n".join([f"Rule {rule}, recording {recording}:", *lines, "", what, ""]))
        try:
            self.send(job.context, self._admin, mail)
        except NotNow as error:
            log.error("administrator not told", recording=recording, reason=str(error))

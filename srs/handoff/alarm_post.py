"""Alarms told to people: by mail and to a webhook, once when one is raised and once when it is over."""

import socket
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Final

import structlog

from srs import telling
from srs.alarms import Alarm
from srs.config import Settings
from srs.handoff.errors import HandoffError, NeedsPerson
from srs.handoff.webhook import post

log = structlog.get_logger()

EVERY_S: Final = 5.0
TIMEOUT_S: Final = 20.0

RAISED: Final = "raised"
CLEARED: Final = "cleared"
Send = Callable[[str, Alarm], None]
"""Tells of an alarm that it is raised or cleared; raises HandoffError when it cannot."""


@dataclass
class Teller:
    """One way to tell; what could not be told is tried at the next look."""

    send: Send
    _told: dict[tuple[str, str | None], Alarm] = field(default_factory=dict)

    def look(self, raised: Iterable[Alarm]) -> None:
        """Tell what has changed since the last look."""
        now = {(alarm.name, alarm.call): alarm for alarm in raised}
        for key in [key for key in now if key not in self._told]:
            if self._try(RAISED, now[key]):
                self._told[key] = now[key]
        for key in [key for key in self._told if key not in now]:
            if self._try(CLEARED, self._told[key]):
                del self._told[key]

    def _try(self, state: str, alarm: Alarm) -> bool:
        try:
            self.send(state, alarm)
        except HandoffError as error:
            log.warning("alarm not told", alarm=alarm.name, state=state, reason=str(error))
            return False
        return True


def start(settings: Settings) -> None:
    """Tell of alarms from now on, if anybody is to be told."""
    if tellers := [Teller(send) for send in ways(settings)]:
        threading.Thread(target=_run, args=(settings, tellers), name="alarm post", daemon=True).start()


def _run(settings: Settings, tellers: list[Teller]) -> None:
    pause = threading.Event()
    while not pause.wait(EVERY_S):
        raised = [Alarm(**each) for news in telling.hear(settings.data_dir).values() for each in news["alarms"]]
        for teller in tellers:
            teller.look(raised)


def ways(settings: Settings) -> list[Send]:
    """Those that are set."""
    mail = [_mailing(settings)] if settings.alarms.mail else []
    return mail + ([_hook(settings, settings.alarms.webhook)] if settings.alarms.webhook else [])


def _mailing(settings: Settings) -> Send:
    from srs.handoff.mail.relay import Relays  # loads a library that only mail needs

    relays = Relays(settings.mail.server)

    def send(state: str, alarm: Alarm) -> None:
        if settings.mail.sender is None:
            raise NeedsPerson("[mail] sender is not set")
        answers = relays.send(settings.mail.sender, settings.alarms.mail, letter(settings, state, alarm).as_bytes())
        if refused := [said for said in answers.values() if not said.accepted]:
            log.warning("alarm mail refused", alarm=alarm.name, code=refused[0].code, reply=refused[0].reply)

    return send


def letter(settings: Settings, state: str, alarm: Alarm) -> EmailMessage:
    """The mail of an alarm."""
    mail = EmailMessage(policy.SMTP)
    mail["From"], mail["To"] = settings.mail.sender, ", ".join(settings.alarms.mail)
    mail["Subject"] = f"{settings.node.id}: alarm {alarm.name} {state}"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [f"Recorder {settings.node.id} on {socket.gethostname()}", alarm.reason]
    lines += [f"Call {alarm.call}"] if alarm.call else []
    mail.set_content("\n".join([*lines, "", alarm.do if state == RAISED else "It is over.", ""]))
    return mail


def _hook(settings: Settings, url: str) -> Send:
    secret, local = settings.alarms.webhook_secret.get_secret_value(), settings.tasks.local_targets

    def send(state: str, alarm: Alarm) -> None:
        event = {"event": f"alarm.{state}", "alarm": {**asdict(alarm), "do": alarm.do}}
        post(url, event, uuid.uuid4().hex, secret, TIMEOUT_S, local=local)

    return send

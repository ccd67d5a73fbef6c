"""Which modules there are: by kind, and by the name of the rule that uses them.

Beside the recorder's own, those of installed packages: entry points of the group `srs.handoff` (docs/modules.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import structlog
from pydantic import ValidationError

from srs.config import Settings
from srs.config.handoff import HandoffSettings
from srs.handoff import copies, delete, letters, mail
from srs.handoff.copy import Removal
from srs.handoff.errors import NeedsPerson
from srs.handoff.module import Job, Module

log = structlog.get_logger()

GROUP = "srs.handoff"
Factory = Callable[[Settings, HandoffSettings], Module]
OWN: Mapping[str, EntryPoint] = {
    "copy": EntryPoint("copy", "srs.handoff.copy:Copy", GROUP),
    "transcribe": EntryPoint("transcribe", "srs.handoff.transcribe:Transcribe", GROUP),
    "webhook": EntryPoint("webhook", "srs.handoff.webhook:Webhook", GROUP),
}
"""Loaded when a rule uses them: SFTP and mail alone take a third of what this process needs to start."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands for a module that cannot be made; its tasks wait for a person."""

    reason: str

    def run(self, job: Job) -> None:  # noqa: ARG002
        """Say why."""
        raise NeedsPerson(self.reason)


def modules(settings: Settings) -> Mapping[str, Mapping[str, Module]]:
    """Kind, name, module. The recorder's own kinds are always there: tasks of rules that are gone need a person."""
    found: dict[str, dict[str, Module]] = {
        **{kind: {} for kind in OWN},
        delete.KIND: {"": delete.Delete()},
        copies.KIND: {"": Removal(settings)},
        mail.KIND: _postmen(settings) if settings.mail.rule else {},
        letters.KIND: _writers(settings) if settings.staff_notice else {},
    }
    for entry in settings.handoff:
        found.setdefault(entry.module, {})[entry.name] = _made(settings, entry)
    return found


def _postmen(settings: Settings) -> dict[str, Module]:
    from srs.handoff.mail import deliver

    postman = deliver.Postman(settings)
    return {rule.name: deliver.Mail(settings, rule, postman) for rule in settings.mail.rule}


def _writers(settings: Settings) -> dict[str, Module]:
    from srs.handoff.mail import deliver, letter

    module = letter.Letters(deliver.Postman(settings))  # a lane has a connection of its own
    return {rule.name: module for rule in settings.staff_notice}


def _made(settings: Settings, entry: HandoffSettings) -> Module:
    """A module of the settings. One that cannot be made must not keep the others, nor calls, from being kept."""
    try:
        return _factory(entry.module)(settings, entry)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        reason = f"[[handoff]] {entry.name}: options: {wrong}"
    except LookupError as error:
        reason = f"[[handoff]] {entry.name}: {error.args[0]}"
    except Exception as error:
        log.exception("module cannot be made", handoff=entry.name, module=entry.module)
        reason = f"[[handoff]] {entry.name}: {error!r}"
    log.error("handoff unusable", reason=reason)
    return Unusable(reason)


def _factory(name: str) -> Factory:
    point = OWN.get(name) or next(iter(entry_points(group=GROUP, name=name)), None)
    if point is None:
        raise LookupError(f"there is no module {name!r}; the recorder has {', '.join(OWN)}")
    factory: Factory = point.load()
    return factory

"""Which modules there are: by kind, and by the name of the rule that uses them.

Beside the recorder's own, those of installed packages: entry points of the group `srs.handoff` (docs/modules.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

import structlog
from pydantic import ValidationError

from srs.config import Settings
from srs.config.handoff import HandoffSettings
from srs.handoff import delete
from srs.handoff.copy import Copy
from srs.handoff.errors import NeedsPerson
from srs.handoff.mail import deliver
from srs.handoff.module import Job, Module
from srs.handoff.transcribe import Transcribe
from srs.handoff.webhook import Webhook

log = structlog.get_logger()

GROUP = "srs.handoff"
Factory = Callable[[Settings, HandoffSettings], Module]
OWN: Mapping[str, Factory] = {"copy": Copy, "transcribe": Transcribe, "webhook": Webhook}


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands for a module that cannot be made; its tasks wait for a person."""

    reason: str

    def run(self, job: Job) -> None:  # noqa: ARG002
        """Say why."""
        raise NeedsPerson(self.reason)


def modules(settings: Settings) -> Mapping[str, Mapping[str, Module]]:
    """Kind, name, module. The recorder's own kinds are always there: tasks of rules that are gone need a person."""
    postman = deliver.Postman(settings)
    found: dict[str, dict[str, Module]] = {
        **{kind: {} for kind in OWN},
        delete.KIND: {"": delete.Delete()},
        deliver.KIND: {rule.name: deliver.Mail(settings, rule, postman) for rule in settings.mail.rule},
    }
    for entry in settings.handoff:
        found.setdefault(entry.module, {})[entry.name] = _made(settings, entry)
    return found


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
    if name in OWN:
        return OWN[name]
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if not found:
        raise LookupError(f"there is no module {name!r}; the recorder has {', '.join(OWN)}")
    factory: Factory = found[0].load()
    return factory

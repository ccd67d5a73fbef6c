"""Which modules there are: by kind, and by the name of the rule that uses them."""

from collections.abc import Mapping

from srs.config import Settings
from srs.handoff import delete
from srs.handoff.mail import deliver
from srs.handoff.module import Module


def modules(settings: Settings) -> Mapping[str, Mapping[str, Module]]:
    """Kind, name, module."""
    postman = deliver.Postman(settings)
    mail = {rule.name: deliver.Mail(settings, rule, postman) for rule in settings.mail.rule}
    return {delete.KIND: {"": delete.Delete()}, deliver.KIND: mail}

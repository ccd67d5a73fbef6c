"""Who gets a recording."""

import re
from collections.abc import Iterator

from srs.archive.subject import Subject, number
from srs.config import Settings
from srs.config.mail import MailRule

_ADDRESS = re.compile(r'[^\s<>,;"@{}]+@[^\s<>,;"@{}]+')


def recipients(rule: MailRule, seen: Subject, settings: Settings) -> list[str]:
    """The addresses that a rule names for a recording, each once; what makes no address is left out."""
    found = (address for wanted in rule.to for address in _meant(wanted, seen, settings))
    return list(dict.fromkeys(address for address in found if _ADDRESS.fullmatch(address)))


def _meant(wanted: str, seen: Subject, settings: Settings) -> Iterator[str]:
    if wanted == "{group}":
        yield from (mail for group in settings.group if group.name in seen.groups for mail in group.mail)
    elif "{extension}" in wanted:
        yield from (wanted.replace("{extension}", number(party)) for party in seen.extensions)
    else:
        for name, party in (("{caller}", seen.caller), ("{callee}", seen.callee)):
            wanted = wanted.replace(name, number(party) if party else "")
        yield wanted

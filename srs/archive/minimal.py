"""What is kept of the words of clients: no more than `[metadata] keep` asks for (RFC 7865 §10)."""

from collections.abc import Collection

from srs.archive.tables import Recording


def trim(row: Recording, keep: Collection[str]) -> None:
    """Take out of a row that is not yet saved what is not to be kept.

    A name stays where it is all there is of a party.
    """
    facts = dict(row.facts)
    if "names" not in keep:
        for leg in row.legs:
            leg.name = None if leg.aor else leg.name
        facts["participants"] = [
            {**each, "name": None} if each["aor"] else each for each in facts.get("participants", [])
        ]
    if "identifiers" not in keep:
        row.identifiers = []
    if "headers" not in keep:
        facts |= {"headers": {}, "extensions": []}
    if "documents" not in keep:
        facts["documents"] = []
    row.facts = facts

"""Which modules there are: those of the recorder, by kind and by the name of the rule that uses them."""

from collections.abc import Mapping

from srs.config import Settings
from srs.handoff import delete
from srs.handoff.module import Module


def modules(settings: Settings) -> Mapping[str, Mapping[str, Module]]:  # noqa: ARG001
    """Kind, name, module."""
    return {delete.KIND: {"": delete.Delete()}}

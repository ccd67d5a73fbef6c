"""What is sealed for which key, and the end of a key."""

from sqlalchemy import Engine, func
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.errors import Held, NoKey
from srs.archive.seal import Keys
from srs.archive.tables import Recording, State


def counts(engine: Engine) -> dict[str, int]:
    """How many recordings with sound are sealed for each key."""
    query = (
        select(Recording.key, func.count())
        .where(Recording.state == State.READY, col(Recording.key).is_not(None))
        .group_by(col(Recording.key))
    )
    with reading(engine) as session:
        return {key: count for key, count in session.exec(query) if key is not None}


def destroy_key(engine: Engine, keys: Keys, name: str) -> int:
    """Destroy a key, and with it every copy of what is sealed for it.

    Returns:
        How many recordings that is.

    Raises:
        Held: one of them is under legal hold.
        NoKey: it is not here.
    """
    query = select(Recording.id).where(Recording.key == name, col(Recording.held), Recording.state == State.READY)
    with reading(engine) as session:
        held = session.exec(query.limit(1)).first()
    if held is not None:
        raise Held(f"recording {held} is sealed for key {name} and under legal hold: srs hold {held} --release")
    if not keys.destroy(name):
        raise NoKey(f"the identity of key {name} is not here: destroy it where it is")
    return counts(engine).get(name, 0)

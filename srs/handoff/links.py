"""Links by which a recording can be fetched without signing in, for a while."""

import hashlib
import secrets
from datetime import datetime

from sqlmodel import Session, col, delete

from srs.handoff.tables import Link


def make(session: Session, recording: str, purpose: str, now: datetime, expires_at: datetime) -> str:
    """Note a link; returns its token, which only the one who gets the link knows. Links that are over go."""
    session.execute(delete(Link).where(col(Link.expires_at) <= now))
    token = secrets.token_urlsafe(32)
    values = {"digest": _digest(token), "recording_id": recording, "purpose": purpose}
    session.add(Link(**values, created_at=now, expires_at=expires_at))
    return token


def find(session: Session, token: str, now: datetime) -> Link | None:
    """The link of a token, while it holds. Who serves it writes the use into the audit log."""
    link = session.get(Link, _digest(token))
    return link if link is not None and now < link.expires_at else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""A recording session (RFC 7866) as a reducer: `apply(session, message, time)` gives the session after a message.

It sees the SIP of the recording dialog in order of time, both directions: live by signalling, afterwards by finalise
from the capture. What a request brings takes effect when its 2xx goes out:

    INVITE, UPDATE with offer, metadata or both     wait for the final response
    2xx                                             they take effect; to the first INVITE: the session starts
    2xx with our offer                              takes effect; the answer in the ACK completes it
    3xx to 6xx                                      they are dropped; the session is as before
    BYE, of either side                             metadata in it take effect, the session ends

Retransmissions and requests that come late (CSeq not higher) change nothing. Nothing is refused here: what cannot be
read is noted in `problems`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from srs.sip.message import Request, Response
from srs.siprec import communication, headers, identifiers, presence, streams
from srs.siprec import metadata as documents
from srs.siprec.body import UnsupportedPart, split
from srs.siprec.communication import Communication
from srs.siprec.identifiers import Named
from srs.siprec.metadata import MetadataError
from srs.siprec.model import Metadata, merge
from srs.siprec.presence import Presence
from srs.siprec.sdp import Sdp, SdpError, parse
from srs.siprec.streams import Stream

__all__ = ["Party", "Presence", "Session", "Stream", "apply", "new", "parties"]

EVENT = "X-SRS-Event"
"""Header field of the INFO requests in which the recorder notes its own doings."""
MOST_PROBLEMS = 100
MOST_IDENTIFIERS = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What the body of a message brings."""

    sdp: Sdp | None = None
    metadata: Metadata | None = None
    raw_metadata: bytes | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A request of the client that waits for its final response."""

    cseq: int
    method: str
    content: Content


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a recording session. Times are UTC in nanoseconds."""

    call_id: str
    """Of the recording dialog."""
    started_ns: int | None = None
    """Our first 200 to INVITE."""
    ended_ns: int | None = None
    """BYE of either side."""
    end_reason: str | None = None
    """The Reason header of the BYE (RFC 3326), else "BYE"."""
    streams: tuple[Stream, ...] = ()
    metadata: Metadata | None = None
    """All snapshots and partial updates brought together."""
    history: tuple[Presence, ...] = ()
    """Who sent on which stream, in order of appearance."""
    communications: tuple[Communication, ...] = ()
    """The calls in it, in order of appearance; none if the metadata name none."""
    identifiers: tuple[Named, ...] = ()
    """What others call the recorded calls, of all requests."""
    snapshots: tuple[tuple[int, bytes], ...] = ()
    """(when, metadata as they came), of all requests, refused ones too."""
    events: tuple[tuple[int, str], ...] = ()
    """(when, what the recorder noted)."""
    problems: tuple[str, ...] = ()
    """What was odd, in words, each once."""
    plain: bool = False
    """The call is no SIPREC: headers say who takes part, not metadata."""
    client_tag: str | None = None
    """From tag of the client's requests; other requests are ours."""
    cseq: int = -1
    """The highest of the client's requests so far."""
    pending: tuple[Pending, ...] = ()
    late_offer: tuple[int, Sdp, bool] | None = None
    """CSeq of an INVITE without offer, our offer in its 200, and whether it was the first; until the ACK."""


class Party(NamedTuple):
    """Who is on a leg; several who share it are joined by " + "."""

    aor: str | None
    name: str | None


def new(call_id: str) -> Session:
    """A session of which nothing is known yet."""
    return Session(call_id)


def apply(session: Session, message: Request | Response, time_ns: int) -> Session:
    """The session after `message`, which came or went at `time_ns`; messages of other dialogs change nothing."""
    if message.call_id != session.call_id or session.ended_ns is not None:
        return session
    if isinstance(message, Response):
        return _on_response(session, message, time_ns)
    if message.headers.get(EVENT) and message.from_address.tag != session.client_tag:
        return replace(session, events=(*session.events, (time_ns, _printable(message.headers[EVENT]))))
    if message.method == "BYE":
        return _on_bye(session, message, time_ns)
    session = _with_client(session, message)
    if message.from_address.tag != session.client_tag:
        return session
    if message.method == "ACK":
        return _on_ack(session, message, time_ns)
    if message.method in ("INVITE", "UPDATE"):
        return _on_offer(session, message, time_ns)
    return session


def parties(session: Session) -> Mapping[Stream, Party]:
    """The audio streams that were accepted, each with who is on it, in channel order: caller, callee, others.

    Who: those who sent on the stream when metadata first named somebody there; `history` has who came later.

    Order: metadata rarely say who called, so by the best evidence there is:
    1. if the metadata name somebody on every stream: as they were first named, participants in the order in which the
       document lists them. Clients list the calling party first, whatever its label;
    2. else, if the labels are different numbers: the lowest first;
    3. else the m-lines as they stand.
    """
    legs = [place for place, stream in enumerate(session.streams) if stream.kind == "audio" and stream.local]
    return {session.streams[place]: _party(session.history, place) for place in _channel_order(session, legs)}


def _channel_order(session: Session, legs: list[int]) -> list[int]:
    named = list(dict.fromkeys(each.stream for each in session.history if each.stream in legs))
    if len(named) == len(legs):
        return named
    labels = [session.streams[place].label or "" for place in legs]
    if all(label.isascii() and label.isdecimal() for label in labels) and len(set(labels)) == len(legs):
        return sorted(legs, key=lambda place: int(session.streams[place].label or 0))
    return legs


def _party(history: tuple[Presence, ...], place: int) -> Party:
    named = [each for each in history if each.stream == place and each.participant.names]
    first = [each.participant for each in named if each.since_ns == named[0].since_ns]
    aors = dict.fromkeys(each.aor for each in first if each.aor)
    names = dict.fromkeys(each.name for each in first if each.name)
    return Party(" + ".join(aors) or None, " + ".join(names) or None)


# Messages


def _with_client(session: Session, request: Request) -> Session:
    """Learn whose requests are the client's; until the session starts, an INVITE tried anew may have another tag."""
    if session.client_tag is None or (session.started_ns is None and request.method == "INVITE"):
        return replace(session, client_tag=request.from_address.tag)
    return session


def _on_offer(session: Session, request: Request, time_ns: int) -> Session:
    """INVITE or UPDATE of the client: wait for the response."""
    cseq = request.cseq.sequence
    if cseq <= session.cseq:
        return session
    session, content = _received(session, request, time_ns)
    if request.method == "INVITE" and session.started_ns is None:
        session = replace(session, plain=content.metadata is None and headers.is_plain(request))
    if session.plain and request.method == "INVITE":
        content = replace(content, metadata=headers.metadata(request))
    return replace(session, cseq=cseq, pending=(*session.pending, Pending(cseq, request.method, content)))


def _on_response(session: Session, response: Response, time_ns: int) -> Session:
    """A final response of ours settles the request that waits for it."""
    if response.code < 200 or response.from_address.tag != session.client_tag:
        return session
    key = response.cseq.sequence, response.cseq.method
    request = next((each for each in session.pending if (each.cseq, each.method) == key), None)
    if request is None:
        return session
    session = replace(session, pending=tuple(each for each in session.pending if each is not request))
    if response.code >= 300:
        return _noted(session, f"{request.method} {request.cseq} was refused with {response.code}")
    if request.method == "INVITE" and session.started_ns is None:
        session = replace(session, started_ns=time_ns)
    return _in_effect(session, request, _content(response), time_ns)


def _in_effect(session: Session, request: Pending, answer: Content, time_ns: int) -> Session:
    session = _noted(session, *answer.problems)
    offered, ours = request.content.sdp, answer.sdp
    if offered and ours is None:
        session = _noted(session, f"the offer in {request.method} {request.cseq} was not answered")
    if offered and ours and len(offered.media) < len({stream.index for stream in session.streams}):
        session = _noted(session, f"the offer in {request.method} {request.cseq} leaves out m-lines")
    if ours and offered is None:
        session = replace(session, late_offer=(request.cseq, ours, not session.streams))
    if ours:
        session = replace(session, streams=streams.agree(session.streams, offered, ours, time_ns))
    return _with_metadata(session, request.content.metadata, time_ns)


def _on_ack(session: Session, ack: Request, time_ns: int) -> Session:
    """The ACK of a late offer has the answer; it may lack it, then our offer stands."""
    if session.late_offer is None or session.late_offer[0] != ack.cseq.sequence:
        return session
    _, ours, is_first = session.late_offer
    session, content = _received(replace(session, late_offer=None), ack, time_ns)
    if content.sdp:
        agreed = streams.agree(session.streams, content.sdp, ours, time_ns)
        session = replace(session, streams=streams.taken(agreed, content.sdp, time_ns) if is_first else agreed)
    return _with_metadata(session, content.metadata, time_ns)


def _on_bye(session: Session, bye: Request, time_ns: int) -> Session:
    session, content = _received(session, bye, time_ns)
    if content.metadata:
        session = replace(session, metadata=merge(session.metadata, content.metadata))
    return replace(
        session,
        ended_ns=time_ns,
        end_reason=_printable(bye.headers.get("Reason") or "BYE"),
        history=presence.close(session.history, time_ns),
        pending=(),
        late_offer=None,
    )


# Their parts


def _with_metadata(session: Session, update: Metadata | None, time_ns: int) -> Session:
    """Bring who speaks where up to date; labels refer to the newest description, also without an update."""
    merged = merge(session.metadata, update) if update else session.metadata
    history = presence.follow(session.history, merged, session.streams, time_ns)
    start_ns = _since_when(session, time_ns)
    calls = communication.follow(session.communications, merged, session.streams, start_ns, time_ns)
    return replace(session, metadata=merged, history=history, communications=calls)


def _since_when(session: Session, now_ns: int) -> int:
    """Since when a call that is named now is recorded.

    Since now, if an earlier document told of none. Else it was there all the time, but for a time in which nothing was
    to be sent: that of a recording session that waits for its first call (RFC 8068 §3.4).
    """
    known = session.metadata
    if session.started_ns is None or session.communications or (known and not known.participants):
        return now_ns
    if known is None and session.started_ns != now_ns:
        changes = (change for stream in session.streams if stream.kind == "audio" for change in stream.directions)
        return min((since for since, direction in changes if direction != "inactive"), default=now_ns)
    return session.started_ns


def _received(session: Session, request: Request, time_ns: int) -> tuple[Session, Content]:
    """What a request brings; raw metadata and problems are kept at once, whatever becomes of it."""
    content = _content(request)
    if content.raw_metadata is not None:
        session = replace(session, snapshots=(*session.snapshots, (time_ns, content.raw_metadata)))
    if session.plain and content.metadata:  # it is SIPREC after all
        session = replace(session, plain=False, metadata=None, history=(), communications=())
    found = dict.fromkeys(identifiers.find(request, content.metadata))
    known = {(each.owner, each.identifier) for each in session.identifiers}
    fresh = (Named(time_ns, *each) for each in found if each not in known)
    session = replace(session, identifiers=(*session.identifiers, *fresh)[:MOST_IDENTIFIERS])
    return _noted(session, *content.problems), content


def _content(message: Request | Response) -> Content:
    try:
        body = split(message.headers.get("Content-Type") or "", message.body)
    except UnsupportedPart as error:
        return Content(problems=(f"body: {error}",))
    problems = []
    sdp, metadata = None, None
    try:
        sdp = parse(body.sdp) if body.sdp is not None else None
    except SdpError as error:
        problems.append(f"SDP: {error}")
    try:
        metadata = documents.read(body.metadata) if body.metadata is not None else None
    except MetadataError as error:
        problems.append(f"metadata: {error}")
    problems += metadata.problems if metadata else ()
    return Content(sdp, metadata, body.metadata, tuple(problems))


def _noted(session: Session, *problems: str) -> Session:
    fresh = [problem for problem in dict.fromkeys(problems) if problem not in session.problems]
    return replace(session, problems=(*session.problems, *fresh)[:MOST_PROBLEMS]) if fresh else session


def _printable(text: str) -> str:
    """A header value without the surrogates that stand for octets which are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

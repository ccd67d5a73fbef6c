"""srs doctor --call: why a call was refused, or what was odd about it, and what to change."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from srs.capture.refusals import Refused
from srs.sip.errors import SipError
from srs.sip.message import Request, parse

if TYPE_CHECKING:
    from srs.archive.tables import Recording


class Rule(NamedTuple):
    """Why we answer so."""

    status: int
    reason: str
    """Pattern of our reason phrase."""
    why: str
    mend: str


RULES = (
    Rule(
        400, "SDP", "The session description cannot be read.", "Send SDP as RFC 8866 has it; the reason names the line."
    ),
    Rule(
        400,
        "[Bb]ody|Content-Length|octets",
        "The body is shorter than Content-Length says: over UDP it was cut on its way.",
        "Let the client use TCP; or mend the network that drops fragments of UDP.",
    ),
    Rule(400, "", "It is not SIP as RFC 3261 has it.", "See the reason; nothing of the kind is known of real clients."),
    Rule(
        401,
        "",
        "A password is wanted: the [[peer]] of this client has user and password. The first INVITE always gets 401.",
        'Give the client that user and password; if it answers the first challenge only: digests = ["MD5"].',
    ),
    Rule(403, "allow", "Its address is not in [sip] allow.", "Add the address or its network to [sip] allow."),
    Rule(
        403,
        "no .*peer",
        "There are [[peer]] sections, and none fits it.",
        "Add its address, the name in its certificate or its From to a [[peer]] section: see docs/peers.md.",
    ),
    Rule(403, "TLS", "Its [[peer]] demands TLS.", "Let the client send SIP over TLS, or lower `require`."),
    Rule(403, "Password", "User or password are wrong.", "Compare them with user and password of its [[peer]]."),
    Rule(
        403,
        "is strict$",
        'Its [[peer]] has recognition = "strict": `Require: siprec` and `+sip.src` after the `>` of Contact, both.',
        'Let the client send both, or set recognition = "relaxed".',
    ),
    Rule(
        403,
        "recording sessions",
        "It has no mark of a recording call: no `Require: siprec`, no `+sip.src` or `;src` in Contact, no metadata.",
        'Enable SIPREC on the client; if it knows none, give it a [[peer]] with recognition = "plain".',
    ),
    Rule(415, "", "A part of the body must be understood and is not.", "Let the client mark it handling=optional."),
    Rule(416, "", "The Request-URI is neither sip:, sips: nor tel:.", "Give the client sip:RECORDER:5060 as target."),
    Rule(
        420,
        "",
        "It requires an extension that the recorder does not have (100rel: reliable provisional responses).",
        "Take the option tag out of Require; for 100rel: PRACK off, or `Supported` instead of `Require`.",
    ),
    Rule(422, "", "The session timer is shorter than 90 s.", "Set Session-Expires to 90 s or more (1800 is usual)."),
    Rule(
        482,
        "",
        "The same call came twice, over two ways or with a Call-ID that is in use.",
        "Give the client one address of the recorder only, and a new Call-ID for each session.",
    ),
    Rule(
        481,
        "",
        "It belongs to no session that the recorder knows.",
        "None: the client starts a new one. If not: restart it.",
    ),
    Rule(
        488,
        "SRTP|SAVP|crypto",
        "The media security is not what the settings allow.",
        "See `require` of its [[peer]], and SRTP on the client.",
    ),
    Rule(
        488,
        "",
        "No stream of the offer can be recorded: no audio line, or only with a transport that is not taken.",
        "Offer m=audio with RTP/AVP, or RTP/SAVP with keys (a=crypto) over TLS.",
    ),
    Rule(491, "", "It came while a request of ours was under way.", "None: the client tries again."),
    Rule(
        500,
        "",
        "Another request of the session was under way, or CSeq went backwards.",
        "None: the client tries again.",
    ),
    Rule(
        503,
        "",
        "The recorder could not keep the call: disk, ports, load, or it was shutting down.",
        "See `srs doctor` and the alarms in the log; give the client a second recorder.",
    ),
    Rule(501, "", "The method is none that a recorder knows.", "None; a registration is not needed here."),
    Rule(405, "", "The method has no place here.", "None."),
    Rule(513, "", "The message is larger than any that is read.", "Let the client send less metadata."),
)
_OTHER = Rule(0, "", "See the reason.", "Please report it with the message: srs doctor --call shows it.")


def choose(refused: list[Refused], call_id: str | None) -> Refused | None:
    """The newest refusal, of that call if one is named; a mere challenge only if there is nothing else."""
    wanted = [each for each in refused if call_id is None or call_id_of(each) == call_id]
    real = [each for each in wanted if each.status != 401] or wanted
    return real[-1] if real else None


def explain(refused: Refused) -> Iterator[str]:
    """What came, from where, which rule refused it, and what to change, in lines."""
    found = (rule for rule in RULES if rule.status == refused.status and re.search(rule.reason, refused.reason))
    rule = next(found, _OTHER)
    came = datetime.fromtimestamp(refused.time_ns / 1e9, UTC).astimezone()
    yield f"{came:%Y-%m-%d %H:%M:%S}  {refused.transport} from {refused.source}"
    yield from _described(refused)
    yield f"answered   {refused.status} {refused.reason}"
    yield f"why        {rule.why}"
    yield f"to change  {rule.mend}"


def call_id_of(refused: Refused) -> str | None:
    request = _request(refused)
    return request.headers.get("Call-ID") if request else None


def _described(refused: Refused) -> Iterator[str]:
    """What matters for recognition and media."""
    request = _request(refused)
    if request is None:
        yield f"came       no SIP request that can be read, it begins {refused.message[:60]!r}"
        return
    yield f"came       {request.method} {request.uri}, {len(refused.message)} octets"
    for name in ("From", "Contact", "Require", "Session-Expires", "Content-Type", "Call-ID"):
        if value := request.headers.get(name):
            yield f"  {name}: {_printable(value)}"
    for line in re.findall(r"^m=[^\r\n]*|^a=crypto:\S+ \S+", refused.message, re.MULTILINE):
        yield f"  {_printable(line)}"


def _request(refused: Refused) -> Request | None:
    try:
        message = parse(refused.message.encode("latin-1"))
    except SipError as error:
        return error.request
    return message if isinstance(message, Request) else None


def oddities(row: "Recording") -> Iterator[str]:
    """What was odd about a call that was recorded."""
    yield f"recording  {row.id}, {row.state}" + (f": {row.reason}" if row.reason else "")
    for problem in row.facts.get("problems", ()):
        yield f"odd        {problem}"
    for leg in row.legs:
        name = f"leg {leg.channel + 1} ({leg.aor or leg.name or 'nobody named'})"
        if leg.packets == 0:
            yield f"odd        {name}: no packet came; is its RTP let through to the recorder's ports?"
        elif leg.lost:
            yield f"odd        {name}: {leg.lost} of {leg.packets + leg.lost} packets are missing"
    if row.facts.get("interrupted"):
        yield "odd        it has no BYE: the client or the recorder died, or the network was cut"


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:200]

"""The metadata examples of RFC 7865 §8 and the call flows of RFC 8068 §3 and RFC 7866 §5, as dialogs to play.

The documents in `rfc/` are written after the examples, one a file, with parties, ids and times of our own (Ann, Ben,
Cas for Alice, Bob, Carol) in the same order, with the same elements, extensions and white space. An id is base64 of
what it stands for. Bodies are as RFC 8068 prints them: `application/SDP`, no close delimiter. Its repeated CSeq is not.
"""

from dataclasses import dataclass
from pathlib import Path

DOCUMENTS = Path(__file__).parent / "rfc"
HEAD = "v=0\r\no=SRC 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
AUDIO = "m=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:{}\r\na=sendonly\r\n"
VIDEO = "m=video {} RTP/AVPF 96\r\na=rtpmap:96 H.264/90000\r\na=label:{}\r\na=sendonly\r\n"


def of_two(version: int = 1, *ports: int) -> str:
    """The offer of RFC 8068 §3.2: audio and video of each of two parties."""
    given = ports or (49170, 49174, 51372, 49176)
    lines = zip((AUDIO, VIDEO, AUDIO, VIDEO), given, (96, 97, 98, 99), strict=True)
    return HEAD.format(version=version) + "".join(line.format(port, label) for line, port, label in lines)


MIXED = HEAD.format(version=1) + AUDIO.format(49170, 96)
"""The offer of RFC 8068 §3.3: one line with all."""
MOVED = of_two(2, 49180, 49182, 51374, 49178)


@dataclass(frozen=True)
class Step:
    """A request of the client, and who is heard after it: (label of the audio line, address without domain)."""

    method: str
    document: str
    offer: str | None
    heard: tuple[tuple[str, str], ...]

    def body(self) -> tuple[str, str]:
        """Content type and body."""
        parts = [] if self.offer is None else [f"Content-Type: application/SDP\r\n\r\n{self.offer}"]
        text = (DOCUMENTS / f"{self.document}.xml").read_text()
        parts.append(f"Content-Type: application/rs-metadata\r\nContent-Disposition: recording-session\r\n\r\n{text}")
        return "multipart/mixed;boundary=foobar", "".join(f"--foobar\r\n{part}" for part in parts)


@dataclass(frozen=True)
class Flow:
    """A recording session; it ends with a BYE without body, if its last step is not one."""

    steps: tuple[Step, ...]
    recordings: tuple[tuple[str, ...], ...]
    """Who is on the channels of each of them."""
    spoke: tuple[tuple[tuple[str, str, int, int], ...], ...]
    """Of each, who spoke: (label, address without domain, from step, to step); audio and video."""


def step(document: str, heard: str, offer: str | None, method: str = "INVITE") -> Step:
    """`heard` as "96 ann, 98 ben"."""
    pairs = [tuple(each.split()) for each in heard.split(", ") if each]
    return Step(method, document, offer, tuple((label, who) for label, who in pairs))


BOTH, ALL_MIXED = "96 ann, 98 ben", "96 ann, 96 ben"
BASIC = step("8068-3.2.1-basic", BOTH, of_two())
BYE = step("8068-3.2.4-disconnect", "", None, "BYE")
MIX = step("8068-3.3.1-mixed", ALL_MIXED, MIXED)

FLOWS = {
    "RFC 7865 §8.1 and §8.2: complete, then one leaves": Flow(
        (
            step("7865-8.1-complete", "96 ben, 98 paul", of_two()),
            step("7865-8.2-partial", "98 paul", None, "UPDATE"),
        ),
        (("ben", "paul"),),
        ((("96", "ben", 0, 1), ("97", "ben", 0, 1), ("98", "paul", 0, 2), ("99", "paul", 0, 2)),),
    ),
    "RFC 8068 §3.2.1 and §3.2.4: basic call, disconnect": Flow(
        (BASIC, BYE),
        (("ann", "ben"),),
        ((("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 1), ("99", "ben", 0, 1)),),
    ),
    "RFC 8068 §3.2.2: hold and resume": Flow(
        (
            BASIC,
            step("8068-3.2.2-hold", "98 ben", of_two()),
            step("8068-3.2.2-resume", BOTH, of_two()),
            BYE,
        ),
        (("ann", "ben"),),
        (
            (
                *(("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 3), ("99", "ben", 0, 3)),
                *(("96", "ann", 2, 3), ("97", "ann", 2, 3)),
            ),
        ),
    ),
    "RFC 8068 §3.2.3: transfer by re-INVITE, in the same session": Flow(
        (BASIC, step("8068-3.2.3-invite", "96 cas, 98 ben", MOVED)),
        (("ann", "ben"),),
        (
            (
                *(("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 2), ("99", "ben", 0, 2)),
                ("96", "cas", 1, 2),
            ),
        ),
    ),
    "RFC 8068 §3.2.3: transfer by REFER, in a new session": Flow(
        (
            BASIC,
            step("8068-3.2.3-refer-old", "", MOVED),
            step("8068-3.2.3-refer-new", "96 cas, 98 ben", MOVED),
        ),
        (("ann", "ben"), ("ben", "cas")),
        (
            (("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 1), ("99", "ben", 0, 1)),
            (("98", "ben", 2, 3), ("99", "ben", 2, 3), ("96", "cas", 2, 3), ("97", "cas", 2, 3)),
        ),
    ),
    "RFC 8068 §3.3.1 and §3.3.2: mixed streams, hold and resume": Flow(
        (
            MIX,
            step("8068-3.3.2-hold", "96 ben", MIXED),
            step("8068-3.3.2-resume", ALL_MIXED, MIXED),
            BYE,
        ),
        (("ann + ben",),),
        ((("96", "ann", 0, 1), ("96", "ben", 0, 3), ("96", "ann", 2, 3)),),
    ),
    "RFC 8068 §3.3.3: one joins, one drops": Flow(
        (
            MIX,
            step("8068-3.3.3-join", "96 ann, 96 ben, 96 cas", MIXED),
            step("8068-3.3.3-drop", "96 ben, 96 cas", MIXED),
        ),
        (("ann + ben",),),
        ((("96", "ann", 0, 2), ("96", "ben", 0, 3), ("96", "cas", 1, 3)),),
    ),
    "RFC 8068 §3.4.1: the call is over, the recording session stays": Flow(
        (BASIC, step("8068-3.4.1-disconnect", "", None)),
        (("ann", "ben"),),
        ((("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 1), ("99", "ben", 0, 1)),),
    ),
    "RFC 8068 §3.5: turret, two calls on one mixed stream": Flow(
        (step("8068-3.5-turret", "96 ann, 96 ben, 96 cas", MIXED),),
        (("ann + ben",), ("ben + cas",)),
        ((("96", "ann", 0, 1), ("96", "ben", 0, 1)), (("96", "ben", 0, 1), ("96", "cas", 0, 1))),
    ),
    "RFC 7866 §5.2: metadata by UPDATE, a new snapshot in between": Flow(
        (
            BASIC,
            step("8068-3.2.2-hold", "98 ben", None, "UPDATE"),
            step("8068-3.2.2-resume", BOTH, None, "UPDATE"),
            step("8068-3.2.1-basic", BOTH, MOVED),
            step("8068-3.2.2-hold", "98 ben", None, "UPDATE"),
        ),
        (("ann", "ben"),),
        (
            (
                *(("96", "ann", 0, 1), ("97", "ann", 0, 1), ("98", "ben", 0, 5), ("99", "ben", 0, 5)),
                *(("96", "ann", 2, 4), ("97", "ann", 2, 4)),
            ),
        ),
    ),
}

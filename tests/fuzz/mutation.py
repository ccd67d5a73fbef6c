"""Whole INVITEs of several clients, and what a careless network or a wicked client makes of them.

Seeded: the same number always gives the same octets.
"""

import random
from collections.abc import Callable

from srs.siprec import body, metadata

Mutation = Callable[[random.Random, bytes], bytes]
MOST_OCTETS = 64 << 10
TOKENS = (
    b"\r\n", b"\n", b"\r\n\r\n", b"\0", b"\xff\xfe", b"<", b">", b"&", b'"', b";", b":", b"=", b"--", b"99999999999999",
    b"-1", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<![CDATA[", b"]]>", b"&#0;", b"m=audio 0 RTP/AVP", b"a=inactive\r\n",
    b"a=label:1\r\n", b"Content-Length: 5\r\n", b"c=IN IP6 ::1\r\n", b"%00", b"\xe2\x80\xae", b"0.0.0.0", b"SIP/2.0",
    b"Require: x\r\n", b"multipart/mixed;boundary=", b"<recording>", b"</recording>", b"<stream stream_id=''/>",
)  # fmt: skip
DESCRIPTION = "v=0\r\no=sbc 1 {version} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}"
LINE = "m={kind} {port} RTP/AVP {types}\r\n{attributes}"
CUCM = "x-nearend;x-refci=1;x-nearendaddr=7001;x-farendrefci=2;x-farendaddr=7002"
EXTENSION = (
    b"<extensiondata xmlns:apkt='http:/acmepacket.com'><apkt:ucid>00FA080001000219A0C0DE;encoding=hex</apkt:ucid>"
    b"<apkt:header label=P-Asserted-Identity><value>x</value></apkt:header></extensiondata></recording>"
)


def _description(*lines: tuple[str, str, str], version: int = 1) -> bytes:
    media = "".join(
        LINE.format(kind=kind, port=6000 + 2 * place, types=types, attributes=attributes)
        for place, (kind, types, attributes) in enumerate(lines)
    )
    return DESCRIPTION.format(version=version, media=media).encode()


def _request(method: str, cseq: int, content_type: str, content: bytes, *more: str, parameters: str = "") -> bytes:
    lines = [
        f"{method} sip:srs@192.0.2.2 SIP/2.0",
        f"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK{method}{cseq};rport",
        f"From: <sip:sbc@192.0.2.1{';' if parameters else ''}{parameters}>;tag=client",
        "To: <sip:srs@192.0.2.2>" + ("" if cseq == 1 else ";tag=srs"),
        "Call-ID: fuzz@192.0.2.1",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:sbc@192.0.2.1>;+sip.src",
        "Max-Forwards: 70",
        *more,
        *([f"Content-Type: {content_type}"] if content else []),
        f"Content-Length: {len(content)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def seeds() -> list[list[bytes]]:
    """Whole dialogs: the requests of a client, in order."""
    audio = [
        ("audio", "0 8 101", f"a=rtpmap:101 telephone-event/8000\r\na=label:{n}\r\na=sendonly\r\n") for n in (1, 2)
    ]
    held = [(kind, types, text.replace("sendonly", "inactive")) for kind, types, text in audio]
    video = ("video", "97", "a=rtpmap:97 H264/90000\r\na=label:3\r\na=sendonly\r\n")
    xml = metadata.write("call-1@example.com", ["sip:ann@example.com", "sip:bob@example.com"])
    vendor = xml.replace(b"</recording>", EXTENSION)
    update = (
        b"<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>partial</datamode><session session_id='b'/>"
    )
    siprec = ("Require: siprec", "Session-Expires: 1800", "Supported: timer")
    bye = _request("BYE", 9, "", b"", "Reason: Q.850;cause=16")
    plain = "application/sdp"
    xml_type = "application/rs-metadata+xml"
    return [
        [
            _request("INVITE", 1, *body.build(_description(*audio), xml), *siprec),
            _request("INVITE", 2, *body.build(_description(*held, version=2), vendor), *siprec),
            _request(
                "UPDATE", 3, xml_type, update + b"</recording>", "User-to-User: 00FA080001000219A0C0DE;encoding=hex"
            ),
            bye,
        ],
        [
            _request("INVITE", 1, *body.build(_description(*audio, video), vendor), *siprec),
            _request("INVITE", 2, plain, _description(audio[0], held[1], video, version=2)),
            bye,
        ],
        [
            _request("INVITE", 1, "", b"", parameters=CUCM),
            _request("ACK", 1, plain, _description(("audio", "0", "a=sendonly\r\n")), parameters=CUCM),
            bye,
        ],
        [_request("INVITE", 1, plain, _description(("audio", "18 0 8", ""))), bye],
    ]


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """`octets` with up to eight changes; one in three has its Content-Length mended, to get at what is behind it."""
    for _ in range(chance.randint(1, 8)):
        octets = chance.choice(MUTATIONS)(chance, octets)[:MOST_OCTETS]
    return _with_length(octets) if chance.random() < 1 / 3 else octets


def _flip(chance: random.Random, octets: bytes) -> bytes:
    place = chance.randrange(len(octets) + 1)
    return octets[:place] + bytes([chance.randrange(256)]) + octets[place + 1 :]


def _insert(chance: random.Random, octets: bytes) -> bytes:
    place = chance.randrange(len(octets) + 1)
    return octets[:place] + chance.choice(TOKENS) * chance.choice((1, 1, 1, 3, 50)) + octets[place:]


def _remove(chance: random.Random, octets: bytes) -> bytes:
    place = chance.randrange(len(octets) + 1)
    return octets[:place] + octets[place + chance.choice((1, 2, 10, 200)) :]


def _repeat(chance: random.Random, octets: bytes) -> bytes:
    place = chance.randrange(len(octets) + 1)
    piece = octets[place : place + chance.choice((1, 10, 100, 1000))]
    return octets[:place] + piece * chance.choice((2, 3, 30)) + octets[place:]


def _swap_lines(chance: random.Random, octets: bytes) -> bytes:
    lines = octets.split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def _drop_line(chance: random.Random, octets: bytes) -> bytes:
    lines = octets.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _number(chance: random.Random, octets: bytes) -> bytes:
    """Another number in the place of one."""
    places = [place for place, octet in enumerate(octets) if 48 <= octet <= 57]
    if not places:
        return octets
    place = chance.choice(places)
    return (
        octets[:place]
        + chance.choice((b"0", b"-1", b"65536", b"4294967296", b"1e9", b"\xd9\xa3"))
        + octets[place + 1 :]
    )


MUTATIONS: tuple[Mutation, ...] = (_flip, _insert, _remove, _repeat, _swap_lines, _drop_line, _number)


def _with_length(octets: bytes) -> bytes:
    head, blank, content = octets.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(content)]) + blank + content

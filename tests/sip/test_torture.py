"""The torture cases of RFC 4475 and RFC 5118: every one by its name, in bytes of our own after its description.

What a recorder does with each: `TAKEN` goes to the application (which may yet refuse it), a number is the status of
the answer, `DROPPED` is neither answered nor told. Where the RFC leaves a choice, or ours differs, a reason stands by.
"""

import pytest

from srs.sip.events import Rejected, RequestReceived

TAKEN, DROPPED = "taken", "dropped"
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0\r\n"


def message(method="INVITE", uri="sip:user@example.com", *more, version="SIP/2.0", body="", length=None, **fields):
    """A request; `fields` replace those that every one has (None: leave out), `more` are whole lines."""
    via = f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-{abs(hash((method, uri, more, body)))}"
    usual = {
        "Via": via,
        "To": "<sip:user@example.com>",
        "From": "<sip:caller@example.net>;tag=1",
        "Call_ID": "torture@example.net",
        "CSeq": f"1 {method}",
        "Max_Forwards": "70",
        "Contact": "<sip:caller@192.0.2.2>",
    }
    lines = [f"{method} {uri} {version}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (usual | fields).items() if value is not None]
    lines += more
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body.encode()) if length is None else length}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


WSINV = (
    b"INVITE sip:viv@chair.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:viv@chair.example.com ;   tag    = \r\n"
    b'from   : "J Rose \\\\\\""       <sip:jr@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.1@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nRoute:\r\n <sip:services.example.com;lr;with=value;no-value>\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jr@example.com> ; new =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n'
)
LONG = "a" * 4000
ODD_METHOD = "!interesting-Method0123456789_*+`.%indeed'~"
RESPONSE = (
    "SIP/2.0 {}\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\nCall-ID: r@example.com\r\nCSeq: 35 INVITE\r\n"
    "From: <sip:user@example.com>;tag=11141343\r\nTo: <sip:user@example.edu>;tag=2229\r\nContent-Length: 0\r\n\r\n"
)

RFC_4475 = {
    # 3.1.1 valid messages
    "wsinv": (WSINV, TAKEN),
    "intmeth": (message(ODD_METHOD, "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1@example.com"), 501),
    "esc01": (message("INVITE", "sip:sips%3Auser%40example.com@example.net", To="sip:%75se%72@example.com"), TAKEN),
    "escnull": (message("REGISTER", "sip:example.com", To="sip:null-%00-null@example.com"), 405),  # no registrar
    "esc02": (message("RE%47IST%45R", "sip:registrar.example.com"), 501),  # an unknown method, not REGISTER
    "lwsdisp": (message("OPTIONS", "sip:user@example.com", From="caller<sip:caller@example.com>;tag=323"), TAKEN),
    "longreq": (
        message("INVITE", "sip:user@example.com", *(f"Via: SIP/2.0/TCP sip{n}.example.com" for n in range(34)),
                f"Unknown-{LONG}: {LONG}", From=f'"{LONG}" <sip:caller@example.net>;tag={LONG}', Call_ID=LONG),
        TAKEN,
    ),
    "dblreq": (message("REGISTER", "sip:example.com") + message(), 405),  # one datagram: what follows is dropped
    "semiuri": (message("OPTIONS", "sip:user;par=u%40example.net@example.com"), TAKEN),
    "transports": (
        message("OPTIONS", "sip:user@example.com", "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKkl24",
                "Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bKkl24d"),
        TAKEN,
    ),
    "mpart01": (message("MESSAGE", "sip:kumiko@example.org", "Content-Type: multipart/mixed;boundary=7a9c"), 405),
    "unreason": (RESPONSE.format("200 = 2**3 * 5**2 \u043d\u043e").encode(), DROPPED),  # to no request of ours
    "noreason": (RESPONSE.format("100 ").encode(), DROPPED),
    # 3.1.2 invalid messages
    "badinv01": (message(Contact='"Joe" <sip:joe@example.org>;;;;', Via="SIP/2.0/UDP 192.0.2.15;;,;,,"), TAKEN),
    "clerr": (message(body=SDP, length=9999), 400),
    "ncl": (message(body=SDP, length=-999), 400),
    "scalar02": (message("REGISTER", "sip:example.com", CSeq="36893488147419103232 REGISTER"), 400),
    "scalarlg": (RESPONSE.format("503 Service Unavailable").replace("35 I", "92923948347723040 I").encode(), DROPPED),
    "quotbal": (message(To='"Mr. J. User <sip:j.user@example.com>'), TAKEN),  # the name is read as far as it goes
    "ltgtruri": (message("INVITE", "<sip:user@example.com>"), 416),
    "lwsruri": (message("INVITE", "sip:user@example.com; lr"), 400),
    "lwsstart": (message().replace(b"INVITE sip:user@example.com SIP", b"INVITE  sip:user@example.com  SIP"), TAKEN),
    "trws": (message("OPTIONS").replace(b" SIP/2.0\r\n", b" SIP/2.0  \r\n", 1), TAKEN),
    "escruri": (message("INVITE", "sip:user@example.com?Route=%3Csip:example.com%3E"), TAKEN),  # headers are not used
    "baddate": (message("INVITE", "sip:user@example.com", "Date: Fri, 01 Jan 2010 16:00:00 EST"), TAKEN),
    "regbadct": (message("REGISTER", "sip:example.com", Contact="sip:user@example.com?Route=%3Csip:x%3E"), 405),
    "badaspec": (message("OPTIONS", To='"Watson, Thomas" < sip:t.watson@example.org >'), TAKEN),
    "baddn": (message("OPTIONS", From="Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), TAKEN),
    "badvers": (message("OPTIONS", version="SIP/7.0"), 505),
    "mismatch01": (message("OPTIONS", CSeq="8 INVITE"), 400),
    "mismatch02": (message("NEWMETHOD", CSeq="8 INVITE"), 400),
    "bigcode": (RESPONSE.format("4294967301 better not break the receiver").encode(), DROPPED),
    # 3.2 transaction layer
    "badbranch": (message("OPTIONS", Via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"), TAKEN),
    # 3.3 application layer
    "insuf": (message(Call_ID=None, From=None, To=None), 400),
    "unkscm": (message("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"), 416),
    "novelsc": (message("OPTIONS", "soap.beep://192.0.2.103:3002"), 416),
    "unksm2": (message("REGISTER", "sip:example.com", To="isbn:2983792873"), 405),
    "bext01": (message("OPTIONS", "sip:user@example.com", "Require: nothingSupportsThis, norThis"), 420),
    "invut": (message("INVITE", "sip:user@example.com", "Content-Type: application/unknown"), TAKEN),  # 415 follows
    "regaut01": (message("REGISTER", "sip:example.com", "Authorization: NoOneKnowsThisScheme opaque-data=here"), 405),
    "multi01": (message("INVITE", "sip:user@example.com", "CSeq: 59 INVITE", "Call-ID: second@example.com"), TAKEN),
    "mcl01": (message("OPTIONS", "sip:user@example.com", "Content-Length: 13"), 400),
    "bcast": (RESPONSE.format("200 OK").replace("192.0.2.198", "255.255.255.255").encode(), DROPPED),
    "zeromf": (message("OPTIONS", Max_Forwards="0"), TAKEN),  # it has arrived
    "cparam01": (message("REGISTER", "sip:example.com", Contact="sip:+1972@gw1.example.net;unknownparam"), 405),
    "cparam02": (message("REGISTER", "sip:example.com", Contact="<sip:+1972@gw1.example.net;unknownparam>"), 405),
    "regescrt": (message("REGISTER", "sip:example.com", Contact="<sip:user@example.com?Route=%3Csip:x%3E>"), 405),
    "sdp01": (message("INVITE", "sip:user@example.com", "Accept: text/nobodyKnowsThis", body=SDP), TAKEN),
    # 3.4 backward compatibility
    "inv2543": (message(Via="SIP/2.0/UDP iftgw.example.com", Max_Forwards=None, From="<sip:+1303@example.net>"), TAKEN),
}  # fmt: skip

SIX = "[2001:db8::10]"
RFC_5118 = {
    "ipv6-good": (message("REGISTER", f"sip:{SIX}", Via=f"SIP/2.0/UDP {SIX}:5060;branch=z9hG4bKas1"), 405),
    "ipv6-bad": (message("OPTIONS", "sip:2001:db8::10"), 416),  # no URI of any scheme that is known; the RFC has 400
    "port-ambiguous": (message("OPTIONS", "sip:[2001:db8::10:5070]"), TAKEN),
    "port-unambiguous": (message("OPTIONS", f"sip:{SIX}:5070"), TAKEN),
    "via-received-param-with-delim": (
        message("OPTIONS", Via=f"SIP/2.0/UDP {SIX};received=[2001:db8::9:255];branch=z9hG4bKas3"), TAKEN),
    "via-received-param-no-delim": (
        message("OPTIONS", Via=f"SIP/2.0/UDP {SIX};received=2001:db8::9:255;branch=z9hG4bKas3"), TAKEN),
    "ipv6-in-sdp": (message(body=SDP.replace("IP4 192.0.2.1", "IP6 2001:db8::20")), TAKEN),
    "mult-ip-in-header": (
        message("OPTIONS", "sip:user@example.com", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2",
                Via=f"SIP/2.0/UDP {SIX};branch=z9hG4bK1"), TAKEN),
    "mult-ip-in-sdp": (message(body=SDP + "m=video 6000 RTP/AVP 97\r\nc=IN IP6 2001:db8::1\r\n"), TAKEN),
    "ipv4-mapped-ipv6": (message(body=SDP.replace("IP4 192.0.2.1", "IP6 ::ffff:192.0.2.10")), TAKEN),
    "ipv6-bug-abnf-3-colons": (message("OPTIONS", "sip:user@[2001:db8:::192.0.2.1]"), TAKEN),
}  # fmt: skip


def outcome(talk, octets):
    """What became of a message."""
    talk >> octets
    if talk.happened(RequestReceived):
        return TAKEN
    finals = [code for _, said in talk.log if (code := said.split()[0]).isdigit() and int(code) >= 200]
    return int(finals[0]) if finals else DROPPED


@pytest.mark.parametrize("name", RFC_4475)
def test_rfc_4475(talk, name):
    octets, expected = RFC_4475[name]
    assert outcome(talk, octets) == expected


@pytest.mark.parametrize("name", RFC_5118)
def test_rfc_5118(talk, name):
    octets, expected = RFC_5118[name]
    assert outcome(talk, octets) == expected


def test_none_is_missing():
    assert (len(RFC_4475), len(RFC_5118)) == (49, 11)


@pytest.mark.parametrize("name", [name for name, (_, expected) in RFC_4475.items() if expected == TAKEN])
def test_what_is_taken_survives_being_written_again(talk, name):
    """The 200 to it has what RFC 3261 §8.2.6 copies, so that the sender finds it."""
    talk >> RFC_4475[name][0]
    made = talk.answer(200).last
    assert any(summary.startswith("200 ") for summary in made)
    assert not talk.happened(Rejected)


@pytest.mark.parametrize("name", [*RFC_4475, *RFC_5118])
def test_each_prefix_of_each_message_does_no_harm(new_talk, name):
    octets = (RFC_4475 | RFC_5118)[name][0]
    endpoint, flow = new_talk().endpoint, new_talk().flow
    for end in range(0, len(octets), max(len(octets) // 40, 1)):
        endpoint.receive(octets[:end], flow, 0.0)
        for send in endpoint.outgoing():
            assert send.data.startswith(b"SIP/2.0 ")

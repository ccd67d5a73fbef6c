"""One small call of each family of recording clients, written after what is known of them, not copied.

Each goes through body, answer and session as on the wire; who is on which channel must come out right.
"""

import pytest

from srs.siprec.session import parties

NS1 = "urn:ietf:params:xml:ns:recording:1"
NS0 = "urn:ietf:params:xml:ns:recording"


def multipart(sdp, xml, *, boundary, sdp_head, xml_head, eol="\r\n", end="--", first="sdp", after=""):
    """A body with the parts' header lines as they are given."""
    parts = [(sdp_head, sdp), (xml_head, xml)]
    text = "".join(
        f"--{boundary}{after}{eol}{head}{eol}{eol}{part}{eol}" for head, part in parts[:: 1 if first == "sdp" else -1]
    )
    return (text + ("" if end is None else f"--{boundary}{end}{eol}")).encode()


def description(*lines, eol="\r\n"):
    return eol.join(("v=0", *lines, ""))


def call(dialog, content_type, body):
    """Record a call that starts so; returns (label, aor, name) by channel, and the session."""
    dialog.agrees(content_type=content_type, body=body)
    session = dialog.says("BYE")
    return [(stream.label, *party) for stream, party in parties(session).items()], session


def test_oracle(dialog):
    sdp = description(
        "o=- 5 5 IN IP4 192.0.2.5", "s=-", "c=IN IP4 192.0.2.5", "t=0 0",
        "m=audio 20000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=label:16777227", "a=sendonly",
        "a=maxptime:150",
        "m=audio 20002 RTP/AVP 18 101", "a=label:553654187", "a=sendonly",
    )  # fmt: skip
    xml = f"""<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='{NS0}'><dataMode>complete</dataMode>
<session id="S1"><associate-time>2026-04-08T11:10:33</associate-time>
<extensiondata xmlns:apkt="http:/acmepacket.com/siprec/extensiondata"><apkt:ucid>0FA4;encoding=hex</apkt:ucid>
</extensiondata></session>
<participant id="P1" session="S1"><aor>sip:1001@example.com</aor><name>One</name><send>ST1</send>
<extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty>
<apkt:header label=P-Asserted-Identity><value>x</value></apkt:header></extensiondata></participant>
<participant id="P2" session="S1"><aor>sip:1002@example.com</aor><send>ST2</send></participant>
<stream id="ST1" session="S1"><label>16777227</label><mode>separate</mode></stream>
<stream id="ST2" session="S1"><label>553654187</label><mode>separate</mode></stream></recording>"""
    body = multipart(
        sdp,
        xml,
        boundary="unique-boundary-1",
        after="  ",
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session",
    )
    legs, session = call(dialog, "multipart/mixed; boundary=unique-boundary-1", body)
    assert legs == [("16777227", "sip:1001@example.com", "One"), ("553654187", "sip:1002@example.com", None)]
    assert [codec.name for codec in session.streams[1].codecs[0][1]] == ["G729"]
    assert "callingParty" in "".join(each.xml for each in session.metadata.extensions)


def test_cisco_cube(dialog):
    sdp = description(
        "o=CiscoSystemsSIP-GW 1 1 IN IP4 192.0.2.6", "s=SIP Call", "c=IN IP4 192.0.2.6", "t=0 0",
        "m=audio 8000 RTP/AVP 8 101 19", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
        "a=rtpmap:19 CN/8000", "a=ptime:20", "a= label:1", "a=sendonly",
        "m=audio 8002 RTP/AVP 8 101 19", "a=rtpmap:101 telephone-event/8000", "a=label:2", "a=sendonly",
    )  # fmt: skip
    person = (
        '<participant participant_id="P{0}=="><nameID aor="sip:{0}@example.com"/></participant>'
        '<participantsessionassoc participant_id="P{0}==" session_id="S=="/>'
        '<participantstreamassoc participant_id="P{0}=="><send>ST{0}==</send>'
        "<recv>ST{1}==</recv></participantstreamassoc>"
        '<stream stream_id="ST{0}==" session_id="S=="><label>{0}</label></stream>'
    )
    xml = f"""<?xml version="1.0" encoding="UTF-8"?><recording xmlns="{NS1}"><datamode>complete</datamode>
<session session_id="S=="><sipSessionID>aa;remote=bb</sipSessionID>
</session>{person.format(1, 2)}{person.format(2, 1)}</recording>"""
    body = multipart(
        sdp,
        xml,
        boundary="uniqueBoundary",
        sdp_head="Content-Type: application/sdp\r\nContent-Disposition: session;handling=required",
        xml_head="Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session",
    )
    gtd = b"--uniqueBoundary\r\nContent-Type: application/gtd\r\n"
    gtd += b"Content-Disposition: signal;handling=optional\r\n\r\nIAM,\r\n"
    legs, session = call(dialog, "multipart/mixed;boundary=uniqueBoundary", gtd + body)
    assert legs == [("1", "sip:1@example.com", None), ("2", "sip:2@example.com", None)]
    assert session.problems == ()
    assert session.metadata.sessions[0].sip_session_ids == ("aa;remote=bb",)


def test_cisco_cube_starts_inactive(dialog, two_legs):
    dialog.agrees(sdp=two_legs("inactive"))
    session = dialog.agrees(sdp=two_legs("sendonly"))
    assert [[direction for _, direction in stream.directions] for stream in session.streams] == [
        ["inactive", "recvonly"]
    ] * 2


def test_audiocodes_with_bare_line_feeds(dialog):
    sdp = description(
        "o=AudiocodesGW 1 1 IN IP4 192.0.2.7", "s=SBC-Call", "c=IN IP4 192.0.2.7", "t=0 0",
        "m=audio 6000 RTP/AVP 111 8", "a=rtpmap:111 OPUS/48000/2", "a=label:1", "a=sendonly",
        "m=audio 6010 RTP/AVP 8", "a=label:2", "a=sendonly", eol="\n",
    )  # fmt: skip
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='{NS0}' xmlns:ac='http://AudioCodes'><datamode>complete</datamode>
<group id="00000000-0000-0000-0000-000000000001">
<ac:AvayaUCID>FA080030C4E34B5B9E59</ac:AvayaUCID></group><session id="0000-02"/>
<participant id="1001" session="0000-02"><nameID aor="1001@example.com"></nameID><send>0000-03</send></participant>
<participant id="1002" session="0000-02"><nameID aor="1002@example.com"></nameID><send>0000-04</send></participant>
<stream id="0000-03" session="0000-02"><label>1</label></stream><stream id="0000-04" session="0000-02">
<label>2</label></stream>
</recording>""".replace("\r", "")
    body = multipart(
        sdp,
        xml,
        boundary="boundary_ac1",
        eol="\n",
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata\nContent-Disposition: recording-session",
    )
    legs, session = call(dialog, "multipart/mixed;boundary=boundary_ac1", body)
    assert legs == [("1", "1001@example.com", None), ("2", "1002@example.com", None)]
    assert b"a=rtpmap:111 OPUS/48000/2" in str(dialog.answered).encode()
    assert session.metadata.extensions[0].name == "avayaucid"


def test_ribbon_sends_against_the_order_of_labels(dialog):
    sdp = description(
        "o=Sonus_UAC 1 1 IN IP4 192.0.2.8", "s=SIP Media Capabilities", "t=0 0",
        "m=audio 1024 RTP/AVP 0", "c=IN IP4 192.0.2.8", "a=label:1", "a=sendonly", "a=maxptime:20",
        "m=audio 1026 RTP/AVP 0", "c=IN IP4 192.0.2.8", "a=label:2", "a=sendonly",
    )  # fmt: skip
    xml = f"""<?xml version="1.0" encoding="UTF-8"?><tns:recording xmlns:tns="{NS0}">
<tns:datamode>complete</tns:datamode>
<tns:group group_id="G"><callData xmlns="urn:x"><fromhdr>sip:1@example.com</fromhdr></callData></tns:group>
<tns:session session_id="S"><tns:start-time>1970-01-01T00:00:00Z</tns:start-time></tns:session>
<tns:participant participant_id="P1"><tns:nameID aor="1@example.com"><tns:name> </tns:name></tns:nameID>
</tns:participant>
<tns:participant participant_id="P2"><tns:nameID aor="2@example.com"/></tns:participant>
<tns:stream stream_id="A" session_id="S"><tns:label>1</tns:label></tns:stream>
<tns:stream stream_id="B" session_id="S"><tns:label>2</tns:label></tns:stream>
<tns:participantstreamassoc participant_id="P1"><tns:send>B</tns:send><tns:recv>A</tns:recv>
</tns:participantstreamassoc>
<tns:participantstreamassoc participant_id="P2"><tns:send>A</tns:send><tns:recv>B</tns:recv>
</tns:participantstreamassoc>
</tns:recording>"""
    head = "Content-Disposition: recording-session"
    body = multipart(
        sdp,
        xml,
        boundary="sonus-content-delim",
        sdp_head="Content-Type: application/sdp",
        xml_head=f"{head}\r\nContent-Type: application/rs-metadata+xml",
    )
    legs, session = call(dialog, "multipart/mixed;boundary=sonus-content-delim", body)
    assert legs == [("2", "1@example.com", None), ("1", "2@example.com", None)]
    assert session.streams[0].remote == ("192.0.2.8", 1024)


def test_avaya_with_a_label_that_has_no_line(dialog):
    sdp = description(
        "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0",
        "m=audio 35000 RTP/AVP 0 8 18 101", "a=rtpmap:101 telephone-event/8000", "a=label:10", "a=sendonly",
    )  # fmt: skip
    xml = f"""<?xml version="1.0"?><recording xmlns="{NS1}"><dataMode>complete</dataMode>
<session session_id="00FA080030C4E34B5B9E59"/>
<participant participant_id="abcdef12345678901234"><nameID aor="sip:SBC@example.com"/></participant>
<participant participant_id="11111111111111111111"><nameID aor="sip:3001@example.com"/></participant>
<stream stream_id="22222222222222222222" session_id="00FA080030C4E34B5B9E59"><label>10</label></stream>
<stream stream_id="" session_id="00FA080030C4E34B5B9E59"><label>20</label></stream>
<participantstreamassoc participant_id="11111111111111111111"><send>22222222222222222222</send><recv></recv>
</participantstreamassoc>
<participantstreamassoc participant_id="abcdef12345678901234"><send></send></participantstreamassoc></recording>"""
    body = multipart(
        sdp,
        xml,
        boundary="foobar",
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata+xml",
    )
    legs, _ = call(dialog, "multipart/mixed;boundary=foobar", body)
    assert legs == [("10", "sip:3001@example.com", None)]


BROADWORKS = """<?xml version="1.0" encoding="UTF-8"?><recording_metadata xmlns="urn:ietf:params:xml:ns:siprec">
<recording>
<dataMode>complete</dataMode></recording><session id="urn:uuid:s{0}">
<start-time>2026-06-09T06:01:04-04:00</start-time></session>
<participant id="urn:uuid:a{0}" session="urn:uuid:s{0}"><aor>sip:5001@example.com;user=phone</aor><send>
<id>urn:uuid:m{0}</id></send></participant>
<participant id="urn:uuid:b{0}" session="urn:uuid:s{0}"><aor>tel:+15551234</aor><send><id>urn:uuid:m{0}</id></send>
</participant>
<stream id="urn:uuid:m{0}" session="urn:uuid:s{0}"><label>1</label><mode>mixed</mode></stream>
<extensiondata id="urn:uuid:x{0}" parent="urn:uuid:s{0}"><broadWorksRecordingMetadata><callType/>
</broadWorksRecordingMetadata></extensiondata>
</recording_metadata>"""


def test_broadworks_mixed_metadata_first_new_ids_each_time(dialog):
    sdp = description(
        "o=BroadWorks 1 1 IN IP4 192.0.2.10",
        "s=-",
        "c=IN IP4 192.0.2.10",
        "t=0 0",
        "m=audio 7000 RTP/AVP 8",
        "a=label:1",
    )
    body = multipart(
        sdp,
        BROADWORKS.format(1),
        boundary="UniqueBroadWorksBoundary",
        first="xml",
        sdp_head="Content-Type:application/sdp\r\nContent-Length:7",
        xml_head="Content-Type:application/rs-metadata+xml\r\nContent-Disposition:recording-session\r\nContent-Length:9",
    )
    dialog.agrees(content_type="multipart/mixed;boundary=UniqueBroadWorksBoundary", body=body)
    dialog.agrees("UPDATE", xml=BROADWORKS.format(2).encode())
    dialog.agrees(sdp=sdp.replace("192.0.2.10\r\nt", "0.0.0.0\r\nt").encode())
    session = dialog.says("BYE")
    assert list(parties(session).values()) == [("sip:5001@example.com;user=phone + tel:+15551234", None)]
    assert [(each.stream, each.until_ns) for each in session.history] == [(0, session.ended_ns)] * 2
    assert [direction for _, direction in session.streams[0].directions] == ["recvonly", "inactive"]


def test_metaswitch_mixed_without_direction(dialog):
    sdp = description(
        "o=- 1 1 IN IP4 192.0.2.11", "s=-", "c=IN IP4 192.0.2.11", "t=0 0", "m=audio 9000 RTP/AVP 2 0 101", "a=label:1"
    )
    assoc = '<participantstreamassoc participant_id="{0}"><send>M=</send><recv>M=</recv></participantstreamassoc>'
    xml = f"""<?xml version="1.0" encoding="UTF-8"?><recording id="R=" xmlns="{NS0}"><datamode>complete</datamode>
<session session_id="S="/><participant participant_id="A="><nameID aor="7602922411 "/></participant>
<participant participant_id="B="><nameID aor="7602922412"/></participant><stream stream_id="M=" session_id="S=">
<label>1</label></stream>
{assoc.format("A=")}{assoc.format("B=")}<extensiondata><metaswitchRecordingMetadata/></extensiondata></recording>"""
    body = multipart(
        sdp,
        xml,
        boundary="b1",
        after=" ",
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata",
    )
    legs, session = call(dialog, 'multipart/mixed; boundary="b1"', body)
    assert legs == [("1", "7602922411 + 7602922412", None)]
    assert [codec.name for codec in session.streams[0].codecs[0][1]] == ["G726-32", "PCMU"]


@pytest.mark.parametrize("labels", ["01", "10"])
def test_opensips_with_names_that_are_not_escaped(dialog, labels):
    lines = [
        f"m=audio {4000 + 2 * n} RTP/AVP 0 108\r\nc=IN IP4 192.0.2.12\r\n"
        f"a=3gOoBTC\r\na=sendonly\r\na=label:{label}\r\na=rtcp:{4001 + 2 * n}"
        for n, label in enumerate(labels)
    ]
    sdp = description("o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", *lines)
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>\r
<recording xmlns='{NS1}'><datamode>complete</datamode><session session_id="S/+="><sipSessionID>call@x</sipSessionID>
</session>
<participant participant_id="P0=="><nameID aor="sip:a@example.com"><name xml:lang="en">Smith & <b>Sons</name>
</nameID></participant>
<participant participant_id="P1=="><nameID aor="sip:b@example.com?x=1&y=2"/></participant>
<stream stream_id="T0==" session_id="S/+="><label>0</label></stream><stream stream_id="T1==" session_id="S/+=">
<label>1</label></stream>
<participantsessionassoc participant_id="P0==" session_id="S/+=">
<associate-time>2026-11-23T21:36:54+0000</associate-time></participantsessionassoc>
<participantstreamassoc participant_id="P0=="><send>T0==</send><recv>T1==</recv></participantstreamassoc>
<participantstreamassoc participant_id="P1=="><send>T1==</send><recv>T0==</recv></participantstreamassoc></recording>"""
    body = multipart(
        sdp,
        xml,
        boundary="OSS-unique-boundary-42",
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session",
    )
    legs, session = call(dialog, "multipart/mixed;boundary=OSS-unique-boundary-42", body)
    assert [(label, aor) for label, aor, _ in legs] == [("0", "sip:a@example.com"), ("1", "sip:b@example.com?x=1&y=2")]
    assert legs[0][2].startswith("Smith & ")
    assert session.metadata.memberships[0].joined.time_ns == 1795469814_000000000


def test_twilio(dialog):
    sdp = description(
        "o=- 1 1 IN IP4 192.0.2.13", "s=SIP Media", "c=IN IP4 192.0.2.13", "t=0 0",
        "m=audio 10000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20", "a=label:inbound",
        "a=sendonly",
        "m=audio 10002 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=label:outbound", "a=sendonly",
    )  # fmt: skip
    xml = f'<?xml version="1.0"?><recording xmlns="{NS1}"><datamode>complete</datamode></recording>'
    boundary = "----=_Part_1_2.3"
    body = multipart(
        sdp,
        xml,
        boundary=boundary,
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata+xml",
    )
    legs, _ = call(dialog, f'multipart/mixed; boundary="{boundary}"', body)
    assert legs == [("inbound", None, None), ("outbound", None, None)]


def test_jambonz_pauses_with_a_bare_description(dialog, two_legs):
    xml = f"""<?xml version="1.0"?><recording xmlns="{NS1}" xmlns:jb="http://example.com/jb">
<datamode>complete</datamode>
<session session_id="0b0b-01"/><participant participant_id="0b0b-02"><nameID aor="+15551111"/></participant>
<participant participant_id="0b0b-03"><nameID aor="+15552222"/></participant>
<stream stream_id="0b0b-04" session_id="0b0b-01"><label>1</label></stream>
<stream stream_id="0b0b-05" session_id="0b0b-01"><label>2</label></stream>
<participantstreamassoc participant_id="0b0b-02"><send>0b0b-04</send></participantstreamassoc>
<participantstreamassoc participant_id="0b0b-03"><send>0b0b-05</send></participantstreamassoc>
<extensiondata><jb:callsid>x</jb:callsid></extensiondata></recording>"""
    dialog.agrees(sdp=two_legs(), xml=xml.encode())
    dialog.agrees(content_type="application/sdp", body=two_legs("inactive"))
    session = dialog.agrees(content_type="application/sdp", body=two_legs())
    assert [party.aor for party in parties(session).values()] == ["+15551111", "+15552222"]
    assert [len(stream.directions) for stream in session.streams] == [3, 3]
    assert [each.until_ns for each in session.history] == [None, None]


def test_sems_without_close_delimiter(dialog):
    sdp = description(
        "o=sems 1 1 IN IP4 192.0.2.14", "s=sems", "c=IN IP4 192.0.2.14", "t=0 0",
        "m=audio 11000 RTP/AVP 8", "a=label:a_leg", "a=sendonly", "m=audio 11002 RTP/AVP 8", "a=label:b_leg",
        "a=sendonly",
    )  # fmt: skip
    xml = f"""<?xml version="1.0"?><recording xmlns="{NS1}"{{}}><session session_id="S=="/>
<participant participant_id="A=="><nameID aor="sip:a@example.com"/></participant>
<participant participant_id="B=="><nameID aor="sip:b@example.com"/></participant>
<stream stream_id="SA==" session_id="S=="><label>a_leg</label></stream><stream stream_id="SB==" session_id="S==">
<label>b_leg</label></stream>
<participantstreamassoc participant_id="A==">{{}}</participantstreamassoc>
<participantstreamassoc participant_id="B=="><send>SB==</send></participantstreamassoc></recording>"""
    body = multipart(
        sdp,
        xml.format("", "<send>SA==</send>"),
        boundary="sems",
        end=None,
        sdp_head="Content-Type: application/sdp",
        xml_head="Content-Type: application/rs-metadata",
    )
    dialog.agrees(content_type="multipart/mixed;boundary=sems", body=body)
    held = sdp.replace("sendonly\r\nm=", "inactive\r\nm=")
    dialog.agrees(sdp=held.encode(), xml=xml.format(' dataMode="partial"', "").encode())
    session = dialog.says("BYE", content_type="application/rs-metadata", body=xml.format("", "").encode())
    assert [(label, aor) for label, aor in ((s.label, p.aor) for s, p in parties(session).items())] == [
        ("a_leg", "sip:a@example.com"),
        ("b_leg", "sip:b@example.com"),
    ]
    assert [direction for _, direction in session.streams[0].directions] == ["recvonly", "inactive"]
    assert [each.until_ns == session.ended_ns for each in session.history] == [False, True]
    assert len(session.snapshots) == 3

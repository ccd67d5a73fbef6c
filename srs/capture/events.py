"""What the recorder itself has to say of a session, kept in its capture as SIP INFO of the same Call-ID.

The header X-SRS-Event tells it:

kernel-drops;port=16384;count=12     datagrams that the kernel dropped before they could be read
write-failed;records=40              records that the disk did not take
operator;act=pause;by=…              what an operator did, see srs.siprec.operator
"""

import time

from rtp.pcap import record

HERE = ("127.0.0.1", 5060)


def info(call_id: str, event: str) -> bytes:
    """The INFO request that says `event`."""
    lines = [
        "INFO sip:srs@localhost SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-srs-event",
        "From: <sip:srs@localhost>;tag=srs",
        "To: <sip:srs@localhost>",
        f"Call-ID: {call_id}",
        "CSeq: 1 INFO",
        "Max-Forwards: 0",
        f"X-SRS-Event: {event}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def info_record(call_id: str, event: str, time_ns: int | None = None) -> bytes:
    """The event as a record of the capture file, stamped now if not told when it was."""
    return record(info(call_id, event), HERE, HERE, time.time_ns() if time_ns is None else time_ns)

"""Dialogs as values."""

import json

import pytest

from srs.sip.dialog import Dialog, accepted, established
from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.message import make_request, parse, response

FLOW = Flow("UDP", ("127.0.0.1", 5060), ("127.0.0.2", 6000))


def invite(contact="<sip:alice@127.0.0.2:6000>", cseq=5, routes=(), method="INVITE"):
    fields = [
        ("Via", "SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK1"),
        ("From", "Alice <sip:alice@example.com>;tag=them"),
        ("To", "<sip:srs@example.com>"),
        ("Call-ID", "c"),
        ("CSeq", f"{cseq} {method}"),
        *(("Record-Route", route) for route in routes),
    ]
    return make_request(method, "sip:srs@127.0.0.1", [*fields, *([("Contact", contact)] if contact else [])])


def dialog(**options):
    request = invite(**options)
    ok = response(request, 200, to_tag="us")
    ok.headers.set("Contact", "<sip:srs@127.0.0.1>;+sip.srs")
    return accepted(request, ok, FLOW)


def test_server_side():
    made = dialog(routes=["<sip:p1;lr>, <sip:p2;lr>", "<sip:p3;lr>"])
    assert made.id == ("c", "us", "them")
    assert made.route_set == ("<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>")
    after, bye = made.request("BYE")
    assert (bye.uri, bye.headers["To"]) == ("sip:alice@127.0.0.2:6000", "Alice <sip:alice@example.com>;tag=them")
    assert bye.headers["From"] == "<sip:srs@example.com>;tag=us"
    assert bye.cseq.sequence == after.local_cseq == 1
    assert bye.headers.get("Contact") is None
    assert after.request("INVITE")[1].headers["Contact"] == "<sip:srs@127.0.0.1>;+sip.srs"


def test_client_side():
    request = invite(cseq=3, contact="<sip:us@127.0.0.1>")
    ok = response(request, 200, to_tag="far")
    ok.headers.set("Contact", "<sip:far@127.0.0.9:7>")
    ok.headers.setlist("Record-Route", ["<sip:p1;lr>, <sip:p2;lr>"])
    made = established(request, ok, FLOW)
    assert made.id == ("c", "them", "far")
    assert made.route_set == ("<sip:p2;lr>", "<sip:p1;lr>")
    assert made.remote_target == "sip:far@127.0.0.9:7"
    assert made.request("BYE")[1].cseq.sequence == 4
    assert made.initiator


def test_strict_router_takes_the_place_of_the_target():
    _, bye = dialog(routes=["<sip:strict@p1>, <sip:p2;lr>"]).request("BYE")
    assert bye.uri == "sip:strict@p1"
    assert bye.list("Route") == ["<sip:p2;lr>", "<sip:alice@127.0.0.2:6000>"]


@pytest.mark.parametrize(
    ("contact", "target"),
    [
        ("<sip:a@127.0.0.3>;+sip.src", "sip:a@127.0.0.3"),
        ("<sip:a@127.0.0.3;+sip.src>", "sip:a@127.0.0.3;+sip.src"),
        ("<<sip:a@127.0.0.3>;+sip.src>", "sip:alice@example.com"),
        (None, "sip:alice@example.com"),
    ],
)
def test_first_target(contact, target):
    assert dialog(contact=contact).remote_target == target


def test_target_of_a_client_without_any_name():
    request = invite(contact=None)
    request.headers.set("From", "anonymous;tag=them")
    assert accepted(request, response(request, 200, to_tag="us"), FLOW).remote_target == "sip:127.0.0.2:6000"


@pytest.mark.parametrize(("method", "moved"), [("INVITE", True), ("UPDATE", True), ("INFO", False)])
def test_target_refresh(method, moved):
    after = dialog().received(invite(contact="<sip:new@127.0.0.3>", cseq=6, method=method), FLOW)
    assert after.remote_target == ("sip:new@127.0.0.3" if moved else "sip:alice@127.0.0.2:6000")
    assert after.remote_cseq == 6


def test_cseq_order():
    made = dialog(cseq=5)
    made.received(invite(cseq=5), FLOW)
    with pytest.raises(SipError, match="500"):
        made.received(invite(cseq=4), FLOW)


@pytest.mark.parametrize(
    ("contact", "routes", "remote"),
    [
        ("<sip:a@127.0.0.3>", (), ("127.0.0.3", 5060)),
        ("<sip:a@[2001:db8::1]:7>", (), ("2001:db8::1", 7)),
        ("<sip:a@pbx.example.com>", (), ("127.0.0.2", 6000)),
        ("<sip:a@127.0.0.3>", ["<sip:127.0.0.4:99;lr>"], ("127.0.0.4", 99)),
    ],
)
def test_next_hop(contact, routes, remote):
    assert dialog(contact=contact, routes=routes).next_hop() == Flow("UDP", FLOW.local, remote)


def test_checkpoint():
    made = dialog(routes=["<sip:p1;lr>"])
    assert Dialog.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_requests_can_be_read():
    _, request = dialog().request("INFO", [("X-A", "b")], b"body")
    request.headers.set("Via", "SIP/2.0/UDP 127.0.0.1")
    assert parse(bytes(request)).body == b"body"

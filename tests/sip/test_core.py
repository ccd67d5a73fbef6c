"""Connections, checkpoints and timers that both halves share."""

import json

from srs.sip.dialog import Dialog
from srs.sip.endpoint import Endpoint
from srs.sip.events import RequestReceived, TransportFailed
from srs.sip.flow import Flow


def test_response_after_the_connection_is_gone_goes_to_sent_by(stream_talk):
    talk = stream_talk
    (talk >> talk.request("INVITE")).endpoint.connection_lost(talk.flow, talk.now)
    talk.answer(200)
    flow = talk.last["200 INVITE"].flow
    assert (flow.connection, flow.remote) == (0, ("127.0.0.2", 6000))


def test_response_that_finds_no_way_is_told(stream_talk):
    talk = stream_talk
    (talk >> talk.request("INVITE")).endpoint.connection_lost(talk.flow, talk.now)
    flow = talk.answer(503).last["503 INVITE"].flow
    talk.endpoint.connection_lost(flow, talk.now)
    talk.settle()
    assert [event.transaction.message.code for event in talk.happened(TransportFailed)] == [503]


def test_response_takes_the_connection_of_the_request(stream_talk):
    (stream_talk >> stream_talk.request("OPTIONS")).answer(200)
    assert stream_talk.last["200 OPTIONS"].flow == stream_talk.flow


def test_our_request_takes_the_connection_while_it_lives(stream_talk):
    talk = stream_talk.established()
    talk.endpoint.request_within(talk.dialog.id, "INFO", talk.now)
    talk.settle()
    assert talk.last["INFO"].flow == talk.flow
    talk.endpoint.connection_lost(talk.flow, talk.now)
    talk.endpoint.request_within(talk.dialog.id, "BYE", talk.now)
    talk.settle()
    assert talk.last["BYE"].flow == Flow("TCP", ("127.0.0.1", 5060), ("127.0.0.2", 6000), 0)


def test_a_dialog_goes_on_in_another_process(talk):
    talk.established()
    dialog_id = talk.dialog.id
    written = json.dumps([dialog.to_dict() for dialog in talk.endpoint.dialogs()])
    talk.endpoint = Endpoint(token=lambda: "other")
    for values in json.loads(written):
        talk.endpoint.restore(Dialog.from_dict(values))
    (talk >> talk.within("UPDATE", 2)).answer(200)
    assert talk.happened(RequestReceived)[-1].dialog.id == dialog_id
    assert "200 UPDATE" in talk.last
    talk >> talk.within("INFO", 1)
    assert "500 INFO" in talk.last


def test_a_forgotten_dialog_is_unknown(talk):
    (talk >> talk.request("INVITE")).answer(200)
    talk.endpoint.forget(talk.dialog.id)
    talk.wait(40)
    assert talk.times("200 INVITE") == [0.0]
    talk >> talk.within("INFO", 2)
    assert "481 INFO" in talk.last


def test_own_address_of_via_can_be_set(talk):
    talk.established()
    talk.endpoint._advertise = lambda flow: ("2001:db8::1", 5070)
    sent = talk.endpoint.request_within(talk.dialog.id, "INFO", talk.now).request
    assert sent.headers["Via"].startswith("SIP/2.0/UDP [2001:db8::1]:5070;")

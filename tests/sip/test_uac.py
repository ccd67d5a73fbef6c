"""The client half, on a virtual clock."""

import pytest

from srs.sip.errors import SipError
from srs.sip.events import RequestReceived, ResponseReceived, TransactionTimeout, TransportFailed
from srs.sip.message import make_request

CONTACT = ("Contact", "<sip:src@127.0.0.1:5060>")


def start(talk, method="INVITE"):
    """Send a request of ours outside dialogs."""
    fields = [("From", "<sip:src@example.com>"), ("To", "<sip:srs@example.com>"), ("Call-ID", "ours")]
    request = make_request(method, "sip:srs@127.0.0.2:6000", [*fields, ("CSeq", f"7 {method}"), CONTACT], b"offer")
    transaction = talk.endpoint.request(request, talk.flow, talk.now)
    talk.settle()
    return transaction


def call(talk, **options):
    """Our INVITE, the peer's 200, our ACK; the event of the 200."""
    transaction = start(talk)
    talk >> talk.reply(transaction.request, 200, **options)
    event = talk.happened(ResponseReceived)[-1]
    talk.endpoint.acknowledge(transaction, event.dialog)
    talk.settle()
    return event


def test_what_is_added_to_a_request(talk):
    request = start(talk).request
    assert request.from_address.tag
    assert request.headers["Max-Forwards"] == "70"
    assert request.via.branch.startswith("z9hG4bK")
    assert request.via.sent_by == ("127.0.0.1", 5060)
    assert "rport" in request.via.parameters


def test_invite_is_repeated_without_a_cap_until_timer_b(talk):
    start(talk)
    talk.wait(40)
    assert talk.times("INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    (event,) = talk.happened(TransactionTimeout)
    assert event.transaction.request.method == "INVITE"
    assert talk.endpoint.next_timer() is None


def test_invite_is_not_repeated_on_streams(stream_talk):
    start(stream_talk)
    stream_talk.wait(40)
    assert stream_talk.times("INVITE") == [0.0]
    assert len(stream_talk.happened(TransactionTimeout)) == 1


def test_a_provisional_response_ends_the_repetition(talk):
    transaction = start(talk)
    talk.wait(0.6) >> talk.reply(transaction.request, 100)
    talk.wait(200)
    assert talk.times("INVITE") == [0.0, 0.5]
    assert not talk.happened(TransactionTimeout)


def test_other_requests_are_repeated_up_to_t2(talk):
    start(talk, "OPTIONS")
    talk.wait(40)
    assert talk.times("OPTIONS") == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(talk.happened(TransactionTimeout)) == 1


def test_other_requests_are_repeated_each_t2_after_a_provisional(talk):
    transaction = start(talk, "OPTIONS")
    talk >> talk.reply(transaction.request, 100)
    talk.wait(10)
    assert talk.times("OPTIONS") == [0.0, 0.5, 4.5, 8.5]
    talk >> talk.reply(transaction.request, 200)
    talk.wait(40)
    assert len(talk.times("OPTIONS")) == 4
    assert not talk.happened(TransactionTimeout)


def test_2xx_makes_a_dialog_and_its_repetition_gets_the_same_ack(talk):
    event = call(talk)
    talk << "INVITE" << "ACK"
    first = talk.last["ACK"].data
    talk.wait(20) >> talk.reply(event.transaction.request, 200) << "ACK"
    assert talk.last["ACK"].data == first
    assert len(talk.happened(ResponseReceived)) == 1
    assert event.dialog.id == ("ours", event.transaction.request.from_address.tag, "far")


def test_ack_of_a_2xx_is_a_request_of_the_dialog(talk):
    routes = [("Record-Route", "<sip:127.0.0.9;lr>, <sip:127.0.0.8:7000;lr>")]
    event = call(talk, contact="<sip:moved@127.0.0.3:9>", headers=routes)
    send = talk.last["ACK"]
    assert send.message.uri == "sip:moved@127.0.0.3:9"
    assert send.message.list("Route") == ["<sip:127.0.0.8:7000;lr>", "<sip:127.0.0.9;lr>"]
    assert send.message.cseq.sequence == 7
    assert send.message.via.branch != event.transaction.request.via.branch
    assert send.flow.remote == ("127.0.0.8", 7000)


def test_ack_of_an_error_takes_the_branch_of_the_invite(talk):
    transaction = start(talk)
    talk >> talk.reply(transaction.request, 503, tag="busy") << "INVITE" << "ACK"
    ack = talk.last["ACK"].message
    assert ack.via == transaction.request.via
    assert ack.to_address.tag == "busy"
    assert ack.headers["CSeq"] == "7 ACK"
    talk >> talk.reply(transaction.request, 503, tag="busy") << "ACK"
    assert [event.response.code for event in talk.happened(ResponseReceived)] == [503]


def test_a_second_fork_is_a_second_dialog(talk):
    event = call(talk)
    talk >> talk.reply(event.transaction.request, 200, tag="fork")
    other = talk.happened(ResponseReceived)[-1]
    assert other.dialog.remote_tag == "fork"
    assert {dialog.id for dialog in talk.endpoint.dialogs()} == {event.dialog.id, other.dialog.id}


def test_transactions_are_forgotten(talk):
    call(talk)
    start(talk, "OPTIONS")
    talk.wait(33)
    assert talk.endpoint.next_timer() is None
    assert not talk.endpoint._transactions


def test_cancel_waits_for_a_provisional_response(talk):
    transaction = start(talk)
    talk.endpoint.cancel(transaction, talk.now)
    talk.settle() << "INVITE"
    talk.silent() >> talk.reply(transaction.request, 100) << "CANCEL"
    cancel = talk.last["CANCEL"].message
    assert cancel.via == transaction.request.via
    assert cancel.headers["CSeq"] == "7 CANCEL"
    assert cancel.headers["To"] == transaction.request.headers["To"]
    talk >> talk.reply(cancel, 200) >> talk.reply(transaction.request, 487) << "ACK"
    assert [event.response.code for event in talk.happened(ResponseReceived)] == [100, 200, 487]


def test_cancel_loses_the_race_against_200(talk):
    event = call(talk)
    talk.endpoint.cancel(event.transaction, talk.now)
    assert "CANCEL" not in talk.settle().last


def test_requests_within_a_dialog_count_on(talk):
    event = call(talk)
    for method, cseq in (("UPDATE", 8), ("INFO", 9)):
        sent = talk.endpoint.request_within(event.dialog.id, method, talk.now).request
        assert (sent.cseq.sequence, sent.headers["Contact"]) == (cseq, CONTACT[1])
        assert (sent.to_address.tag, sent.from_address.tag) == (event.dialog.remote_tag, event.dialog.local_tag)


def test_our_bye_ends_the_dialog_when_it_is_answered(talk):
    talk.established()
    bye = talk.endpoint.request_within(talk.dialog.id, "BYE", talk.now)
    talk.settle()
    assert talk.last["BYE"].flow.remote == ("127.0.0.2", 6000)
    assert talk.endpoint.dialog(talk.dialog.id) is not None
    talk >> talk.reply(bye.request, 200)
    assert talk.endpoint.dialog(talk.dialog.id) is None
    assert talk.happened(ResponseReceived)[-1].response.code == 200


def test_crossing_byes(talk):
    talk.established()
    talk.endpoint.request_within(talk.dialog.id, "BYE", talk.now)
    talk >> talk.within("BYE", 2)
    assert talk.happened(RequestReceived)[-1].request.method == "BYE"
    with pytest.raises(SipError, match="481"):
        talk.endpoint.request_within(talk.dialog.id, "INFO", talk.now)


def test_our_bye_ends_the_dialog_when_it_is_given_up(talk):
    talk.established()
    talk.endpoint.request_within(talk.dialog.id, "BYE", talk.now)
    talk.wait(33)
    assert talk.endpoint.dialogs() == []
    assert len(talk.happened(TransactionTimeout)) == 1


def test_no_invite_of_ours_while_one_waits(talk):
    talk.established() >> talk.within("INVITE", 2)
    with pytest.raises(SipError, match="491"):
        talk.endpoint.request_within(talk.dialog.id, "INVITE", talk.now)


def test_reinvite_of_ours_moves_the_target_and_keeps_it_if_it_cannot_be_read(talk):
    event = call(talk)
    for contact, target in (("<sip:new@127.0.0.2>", "sip:new@127.0.0.2"), ("<<sip:x>;+sip.src>", "sip:new@127.0.0.2")):
        again = talk.endpoint.request_within(event.dialog.id, "INVITE", talk.now)
        talk >> talk.reply(again.request, 200, contact=contact)
        assert talk.happened(ResponseReceived)[-1].dialog.remote_target == target


def test_unmatched_responses_are_counted(talk):
    transaction = start(talk, "OPTIONS")
    talk >> talk.reply(transaction.request, 200) >> talk.reply(transaction.request, 200)
    stranger = talk.reply(transaction.request, 200).replace(b"z9hG4bK", b"z9hG4bKx")
    talk >> stranger
    assert talk.endpoint.counts["unmatched responses"] == 2
    assert len(talk.happened(ResponseReceived)) == 1


def test_a_lost_connection_fails_what_waits_on_it(stream_talk):
    transaction = start(stream_talk)
    stream_talk.endpoint.connection_lost(stream_talk.flow, stream_talk.now)
    stream_talk.settle()
    assert [event.transaction for event in stream_talk.happened(TransportFailed)] == [transaction]


def test_cancelled_reinvite_frees_the_dialog(talk):
    event = call(talk)
    again = talk.endpoint.request_within(event.dialog.id, "INVITE", talk.now)
    talk >> talk.reply(again.request, 491)
    talk.endpoint.request_within(event.dialog.id, "INVITE", talk.now)
    assert talk.settle().times("INVITE") == [0.0, 0.0, 0.0]

"""The server half, on a virtual clock."""

import pytest

from srs.sip.events import AckReceived, AckTimeout, Cancelled, Rejected, RequestReceived, TransactionTimeout
from srs.sip.message import response

T1_TO_T2 = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]  # doubling up to 4 s, for 32 s


def test_invite_gets_100_at_once_then_the_answer(talk):
    talk >> talk.request("INVITE") << "100 INVITE"
    talk.silent().answer(200) << "200 INVITE"
    assert talk.dialog.id == ("call-1@example.com", talk.tag, "peer")
    assert talk.times("100 INVITE") == [0.0]


def test_event_carries_the_octets_and_the_flow(talk):
    data = talk.request("INVITE", body=b"a\nb")
    talk >> data
    (event,) = talk.happened(RequestReceived)
    assert (event.data, event.flow, event.dialog, event.request.body) == (data, talk.flow, None, b"a\nb")


def test_2xx_is_repeated_until_ack(talk):
    (talk >> talk.request("INVITE")).answer(200).wait(4.0)
    talk >> talk.within("ACK", 1)
    talk.wait(60)
    assert talk.times("200 INVITE") == [0.0, 0.5, 1.5, 3.5]
    assert len(talk.happened(AckReceived)) == 1
    assert not talk.happened(AckTimeout)


def test_2xx_is_repeated_on_streams_too(stream_talk):
    (stream_talk >> stream_talk.request("INVITE")).answer(200).wait(2)
    assert stream_talk.times("200 INVITE") == [0.0, 0.5, 1.5]


def test_without_ack_the_application_is_told_after_64_t1(talk):
    (talk >> talk.request("INVITE")).answer(200).wait(31.9)
    assert not talk.happened(AckTimeout)
    talk.wait(0.2)
    (event,) = talk.happened(AckTimeout)
    assert (event.cseq, event.first, event.dialog.id) == (1, True, talk.dialog.id)
    assert talk.times("200 INVITE") == T1_TO_T2


def test_missing_ack_of_a_reinvite_is_not_the_first(talk):
    talk.established()
    (talk >> talk.within("INVITE", 2)).answer(200).wait(33)
    (event,) = talk.happened(AckTimeout)
    assert (event.cseq, event.first) == (2, False)
    assert talk.endpoint.dialog(event.dialog.id) is not None


def test_repeated_ack_is_told_once(talk):
    talk.established() >> talk.within("ACK", 1, branch="z9hG4bK-ack")
    assert len(talk.happened(AckReceived)) == 1
    assert talk.endpoint.counts["unmatched ACKs"] == 1


def test_ack_of_the_newer_reinvite_covers_the_older(talk):
    talk.established()
    (talk >> talk.within("INVITE", 2)).answer(200)
    (talk >> talk.within("INVITE", 3)).answer(200) >> talk.within("ACK", 3, branch="z9hG4bK-a3")
    talk.wait(60)
    assert not talk.happened(AckTimeout)


def test_repeated_invite_before_the_answer_gets_100_again_and_no_event(talk):
    talk >> talk.request("INVITE") >> talk.request("INVITE") << "100 INVITE" << "100 INVITE"
    assert len(talk.happened(RequestReceived)) == 1


def test_repeated_invite_after_a_lost_200_gets_the_same_200(talk):
    (talk >> talk.request("INVITE") << "100 INVITE").answer(200) << "200 INVITE"
    first = talk.last["200 INVITE"].data
    talk >> talk.request("INVITE") << "200 INVITE"
    assert talk.last["200 INVITE"].data == first
    assert len(talk.happened(RequestReceived)) == 1


def test_error_response_is_repeated_until_ack(talk):
    (talk >> talk.request("INVITE")).answer(503).wait(1.0)
    talk >> talk.request("ACK", branch="z9hG4bK-INVITE-1", to_tag=talk.tag)
    talk.wait(60)
    assert talk.times("503 INVITE") == [0.0, 0.5]
    assert not talk.happened(AckReceived)


def test_error_response_without_ack_is_given_up(talk):
    (talk >> talk.request("INVITE")).answer(503).wait(40)
    assert talk.times("503 INVITE") == T1_TO_T2
    assert len(talk.happened(TransactionTimeout)) == 1


def test_error_response_is_not_repeated_on_streams(stream_talk):
    (stream_talk >> stream_talk.request("INVITE")).answer(503).wait(40)
    assert stream_talk.times("503 INVITE") == [0.0]


def test_repeated_bye_gets_the_same_200(talk):
    bye = talk.established().within("BYE", 2)
    (talk >> bye).answer(200) >> bye
    assert talk.times("200 BYE") == [0.0, 0.0]
    assert len([event for event in talk.happened(RequestReceived) if event.request.method == "BYE"]) == 1


def test_repeated_request_before_its_answer_is_absorbed(talk):
    talk >> talk.request("OPTIONS") >> talk.request("OPTIONS")
    talk.silent()
    assert talk.endpoint.counts["repeated requests"] == 1


def test_transactions_are_forgotten(talk):
    (talk.established() >> talk.within("BYE", 2)).answer(200).wait(33)
    assert talk.endpoint.next_timer() is None
    assert not talk.endpoint._transactions
    assert not talk.endpoint._merged
    assert not talk.endpoint._acceptances


def test_cancel_before_the_answer(talk):
    talk >> talk.request("INVITE") << "100 INVITE"
    talk >> talk.request("CANCEL", branch="z9hG4bK-INVITE-1") << "200 CANCEL" << "487 INVITE"
    (event,) = talk.happened(Cancelled)
    assert event.transaction.request.method == "INVITE"
    assert talk.last["200 CANCEL"].message.to_address.tag == talk.last["487 INVITE"].message.to_address.tag
    talk >> talk.request("ACK", branch="z9hG4bK-INVITE-1", to_tag=talk.tag)
    talk.answer(200, event=talk.happened(RequestReceived)[0]).wait(40).silent()
    assert talk.dialog is None
    assert talk.endpoint.counts["late answers"] == 1


def test_cancel_after_the_answer_changes_nothing(talk):
    (talk >> talk.request("INVITE") << "100 INVITE").answer(200) << "200 INVITE"
    talk >> talk.request("CANCEL", branch="z9hG4bK-INVITE-1") << "200 CANCEL"
    assert not talk.happened(Cancelled)
    assert talk.endpoint.dialog(talk.dialog.id)


def test_cancel_of_nothing(talk):
    talk >> talk.request("CANCEL", branch="z9hG4bK-INVITE-1") << "481 CANCEL"


def test_merged_request(talk):
    talk >> talk.request("INVITE") << "100 INVITE"
    talk >> talk.request("INVITE", branch="z9hG4bK-other-path") << "482 INVITE"
    assert len(talk.happened(RequestReceived)) == 1


def test_same_branch_in_another_call_is_another_transaction(talk):
    talk >> talk.request("INVITE", branch="0") << "100 INVITE"
    talk >> talk.request("INVITE", branch="0", **{"Call-ID": "call-2"}) << "100 INVITE"
    assert len(talk.happened(RequestReceived)) == 2


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "INFO", "INVITE", "OPTIONS"])
def test_unknown_dialog(talk, method):
    talk >> talk.request(method, to_tag="unknown") << f"481 {method}"


def test_unknown_dialog_of_an_ack_is_silence(talk):
    talk >> talk.request("ACK", to_tag="unknown")
    talk.silent()


def test_bye_outside_a_dialog(talk):
    talk >> talk.request("BYE") << "481 BYE"


@pytest.mark.parametrize("method", ["UPDATE", "INFO", "OPTIONS", "INVITE", "BYE"])
def test_requests_within_the_dialog_come_with_it(talk, method):
    talk.established() >> talk.within(method, 2)
    event = talk.happened(RequestReceived)[-1]
    assert (event.request.method, event.dialog.id, event.dialog.remote_cseq) == (method, talk.dialog.id, 2)


def test_bye_ends_the_dialog(talk):
    (talk.established() >> talk.within("BYE", 2)).answer(200)
    talk.sends.clear()
    talk >> talk.within("INFO", 3) << "481 INFO"


def test_bye_ends_the_repetition_of_a_2xx(talk):
    (talk >> talk.request("INVITE")).answer(200) >> talk.within("BYE", 2)
    talk.wait(40)
    assert talk.times("200 INVITE") == [0.0]
    assert not talk.happened(AckTimeout)


def test_bye_answers_a_waiting_reinvite(talk):
    talk.established() >> talk.within("INVITE", 2) << "100 INVITE"
    talk >> talk.within("BYE", 3) << "487 INVITE"


def test_lower_cseq(talk):
    talk.established() >> talk.within("INFO", 5)
    talk >> talk.within("INFO", 4) << "500 INFO"


def test_info_of_a_package_that_nobody_asked_for(talk):
    """RFC 6086 §4.2.2; the dialog goes on."""
    talk.established() >> talk.within("INFO", 2, headers=[("Info-Package", "dtmf")]) << "469 INFO"
    assert talk.last["469 INFO"].message.headers["Recv-Info"] == ""
    talk >> talk.within("INFO", 3)
    assert talk.happened(RequestReceived)[-1].request.cseq.sequence == 3


def test_second_invite_while_one_waits(talk):
    talk.established() >> talk.within("INVITE", 2) << "100 INVITE"
    talk >> talk.within("INVITE", 3) << "500 INVITE"
    assert 0 <= int(talk.last["500 INVITE"].message.headers["Retry-After"]) <= 10
    waiting = talk.happened(RequestReceived)[-1]
    talk.answer(200, event=waiting) >> talk.within("INVITE", 4)
    assert talk.times("100 INVITE")[-1] == 0.0
    assert talk.happened(RequestReceived)[-1].request.cseq.sequence == 4


def test_invite_while_ours_waits(talk):
    talk.established()
    ours = talk.endpoint.request_within(talk.dialog.id, "INVITE", talk.now)
    talk.settle() << "INVITE"
    talk >> talk.within("INVITE", 2) << "491 INVITE"
    talk >> talk.reply(ours.request, 200) >> talk.within("INVITE", 3) << "100 INVITE"


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH", "MESSAGE", "PRACK"])
def test_known_methods_that_are_not_served(talk, method):
    talk >> talk.request(method) << f"405 {method}"
    assert "UPDATE" in talk.last[f"405 {method}"].message.list("Allow")


def test_unknown_method(talk):
    talk >> talk.request("DANCE") << "501 DANCE"


def test_unknown_extension(talk):
    talk >> talk.request("INVITE", headers=[("Require", "siprec, foo"), ("Require", "bar")]) << "420 INVITE"
    assert talk.last["420 INVITE"].message.list("Unsupported") == ["foo", "bar"]


def test_supported_extension_in_any_case(talk):
    talk >> talk.request("INVITE", headers=[("Require", "SIPREC"), ("Proxy-Require", "privacy")]) << "100 INVITE"


@pytest.mark.parametrize("uri", ["http://example.com", "nonsense", "<sip:a@b>"])
def test_unknown_scheme(talk, uri):
    talk >> talk.request("INVITE", uri=uri) << "416 INVITE"


@pytest.mark.parametrize("uri", ["sip:127.0.0.1", "SIP:AAAA@", "sips:x;y=z@h_o.st:5061", "tel:+31", "sip:@"])
def test_any_sip_uri_will_do(talk, uri):
    talk >> talk.request("INVITE", uri=uri) << "100 INVITE"


def test_max_forwards_zero_is_fine_at_the_end_of_the_way(talk):
    talk >> talk.request("OPTIONS").replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
    talk.answer(200) << "200 OPTIONS"


def test_refusals_are_told(talk):
    data = talk.request("DANCE")
    talk >> data
    (event,) = talk.happened(Rejected)
    assert (event.status, event.data, event.request.method) == (501, data, "DANCE")


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("127.0.0.2:6000", ("127.0.0.2", 6000)),
        ("127.0.0.2:7777", ("127.0.0.2", 7777)),  # listens elsewhere than it sends from
        ("127.0.0.2:7777;rport", ("127.0.0.2", 6000)),
        ("pbx_1.example.com", ("127.0.0.2", 5060)),
        ("10.1.1.1:7777;rport", ("127.0.0.2", 6000)),
    ],
)
def test_where_responses_go(talk, via, expected):
    talk >> talk.request("OPTIONS").replace(b"127.0.0.2:6000;branch", via.encode() + b";branch")
    talk.answer(200)
    send = talk.last["200 OPTIONS"]
    assert send.flow.remote == expected
    if "rport" in via:
        assert send.message.via.parameters["rport"] == "6000"
        assert send.message.via.parameters["received"] == "127.0.0.2"


def test_other_vias_are_copied(talk):
    line = b"Via: SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK-1, SIP/2.0/TCP proxy_2;branch=z9\r\nVia: SIP/2.0/UDP third"
    original = b"Via: SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK-OPTIONS-1"
    (talk >> talk.request("OPTIONS").replace(original, line)).answer(200)
    vias = talk.last["200 OPTIONS"].message.list("Via")
    assert vias[1:] == ["SIP/2.0/TCP proxy_2;branch=z9", "SIP/2.0/UDP third"]


def test_all_responses_of_a_transaction_have_one_tag(talk):
    (talk >> talk.request("INVITE")).answer(180).answer(200)
    assert talk.last["180 INVITE"].message.to_address.tag == talk.last["200 INVITE"].message.to_address.tag == talk.tag
    assert not talk.last["100 INVITE"].message.to_address.tag


def test_the_2xx_that_moves_our_contact_is_remembered(talk):
    talk.established()
    (talk >> talk.within("INVITE", 2)).answer(200, contact="<sip:new@127.0.0.1>")
    assert talk.dialog.local_contact == "<sip:new@127.0.0.1>"


def test_an_answer_to_an_ended_dialog_is_late(talk):
    talk.established() >> talk.within("INVITE", 2)
    event = talk.happened(RequestReceived)[-1]
    talk >> talk.within("BYE", 3)
    assert talk.endpoint.respond(event.transaction, response(event.request, 200), talk.now) is None

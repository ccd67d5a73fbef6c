"""A sender's SRTP as a recorder gets it: from the middle, out of order, replayed, forged, with keys that change."""

import secrets
import struct

import pytest
from pylibsrtp import Policy, Session

from rtp.srtp import SUITES, Key, Opener, opener

SUITE = SUITES["AES_CM_128_HMAC_SHA1_80"]
S = 1_000_000_000


def make_key() -> Key:
    return Key(SUITE, secrets.token_bytes(30))


class Sender:
    """libsrtp, that protects packets of given indices (rollover counter and sequence number)."""

    def __init__(self, key: Key, ssrc: int = 7) -> None:
        policy = Policy(key.octets, Policy.SSRC_ANY_OUTBOUND)
        policy.allow_repeat_tx = True
        self._session, self._ssrc = Session(policy), ssrc
        self._index = 0

    def packet(self, index: int) -> bytes:
        for step in [*range(self._index, index, 30_000), index]:  # what it takes for the next, not a turn further
            protected = self._session.protect(plain(step, self._ssrc))
        self._index = max(index, self._index)
        return protected


def plain(index: int, ssrc: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, index & 0xFFFF, 160 * index & 0xFFFFFFFF, ssrc) + struct.pack("!Q", index)


@pytest.fixture
def key() -> Key:
    return make_key()


@pytest.fixture
def sender(key: Key) -> Sender:
    return Sender(key)


def opened(made: Opener, packets: list[bytes], time_ns: int = S) -> list[bytes | None]:
    return [made.open(packet, 12, time_ns) for packet in packets]


@pytest.mark.parametrize("first", [0, 65_530, 65_536, 5 * 65_536 + 40_000, 900 * 65_536])
def test_a_stream_is_opened_wherever_its_counter_stands(key, sender, first):
    indices = range(first, first + 20)
    made = Opener([(0, (key,))])
    assert opened(made, [sender.packet(index) for index in indices]) == [plain(index) for index in indices]
    assert (made.opened, made.forged, made.replayed) == (20, 0, 0)


def test_packets_out_of_order_around_the_wrap(key, sender):
    order = [65_534, 65_537, 65_535, 65_540, 65_536, 65_539, 65_538]
    packets = {index: sender.packet(index) for index in sorted(order)}
    assert opened(Opener([(0, (key,))]), [packets[index] for index in order]) == [plain(index) for index in order]


def test_a_second_copy_is_the_network_s_and_a_late_one_a_replay(key, sender):
    packets = [sender.packet(index) for index in range(200)]
    made = Opener([(0, (key,))])
    assert None not in opened(made, [*packets[:10], packets[9], *packets[10:]])
    assert opened(made, packets[:5]) == [None] * 5
    assert (made.opened, made.replayed, made.forged) == (201, 5, 0)


def test_a_packet_that_was_held_back_long_is_no_replay(key, sender):
    packets = [sender.packet(index) for index in range(200)]
    assert opened(Opener([(0, (key,))]), [*packets[1:], packets[0]])[-1] == plain(0)


def test_forged_packets_are_counted_and_harm_nothing(key, sender):
    packets = [sender.packet(index) for index in range(30)]
    forged = [packet[:12] + bytes([packet[12] ^ 0xFF]) + packet[13:] for packet in packets]
    far = [packet[:2] + b"\x9c\x40" + packet[4:] for packet in packets]
    made = Opener([(0, (key,))])
    mixed = [each for trio in zip(forged, packets, far, strict=True) for each in trio]
    assert [each for each in opened(made, mixed) if each] == [plain(index) for index in range(30)]
    assert made.forged == 60


def test_a_long_outage_is_bridged(key, sender):
    packets = [sender.packet(index) for index in (*range(5), *range(3 * 65_536 + 50_000, 3 * 65_536 + 50_010))]
    found = opened(Opener([(0, (key,))]), packets)
    assert found[:5] == [plain(index) for index in range(5)]
    assert found[5 + opener.FAILURES :] == [plain(3 * 65_536 + 50_000 + index) for index in range(3, 10)]


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_new_key_takes_over_and_neighbours_in_time_are_tried(key, sender, goes_on):
    new, first = make_key(), 3 * 65_536
    after = Sender(new)
    base = first + 10 if goes_on else 10
    before, later = (
        [each.packet(index) for index in range(at, at + 10)] for each, at in ((sender, first), (after, base))
    )
    made = Opener([(0, (key,)), (10 * S, (new,))])
    found = opened(made, [*before[:8], *later[:2]], 9 * S) + opened(made, [*before[8:], *later[2:]], 10 * S)
    assert None not in found
    assert made.forged == 0


def test_several_sources_each_have_their_counter(key):
    senders = [(Sender(key, ssrc), first, ssrc) for ssrc, first in ((1, 0), (2, 70_000))]
    packets = [each.packet(first + index) for index in range(10) for each, first, _ in senders]
    wanted = [plain(first + index, ssrc) for index in range(10) for _, first, ssrc in senders]
    assert opened(Opener([(0, (key,))]), packets) == wanted


def test_a_wrong_key_opens_nothing_and_costs_little(sender):
    made = Opener([(0, (make_key(),))])
    tried = []
    real = made._transform(make_key()).open
    made._transform = lambda key: type("Counting", (), {"open": lambda _, *given: tried.append(1) or real(*given)})()
    assert not any(opened(made, [sender.packet(index) for index in range(2000)]))
    assert made.forged == 2000
    assert len(tried) <= opener.SEARCHES * opener.ROLLOVERS + 2000


def test_many_sources_of_a_forger_cost_little(key):
    packets = [Sender(make_key(), ssrc).packet(0) for ssrc in range(opener.MOST_SEARCHES + 50)]
    made = Opener([(0, (key,))])
    assert not any(opened(made, packets))
    assert made._searches == opener.MOST_SEARCHES


def test_reports_are_opened_with_the_keys_of_their_time(key):
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 63, 1, 2, 3)
    protected = Session(Policy(key.octets, Policy.SSRC_ANY_OUTBOUND)).protect_rtcp(report)
    assert Opener([(0, (make_key(),)), (S, (key,))]).open_control(protected, 0) == report
    assert Opener([(0, (make_key(),))]).open_control(protected, 0) is None


def test_a_report_that_comes_once_more_is_not_taken(key):
    libsrtp = Session(Policy(key.octets, Policy.SSRC_ANY_OUTBOUND))
    reports = [struct.pack("!BBHIQIII", 0x80, 200, 6, 7, index << 32, 1, 2, 3) for index in range(3)]
    first, second, third = map(libsrtp.protect_rtcp, reports)
    made = Opener([(0, (key,))])
    assert [made.open_control(each, 0) for each in (first, third, second, first)] == [*reports[::2], reports[1], None]
    assert (made.replayed, made.forged) == (1, 0)


def test_plain_rtp_where_that_was_agreed_on(key):
    made = Opener([(S, ()), (2 * S, (key,)), (3 * S, ())])
    assert [made.is_plain(time_ns) for time_ns in (0, S, 2 * S, 4 * S)] == [True, True, False, True]

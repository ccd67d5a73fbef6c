"""Which datagrams of a capture are of which stream."""

from support.scene import HERE, MS, PORTS, START_NS, THERE, call

from rtp.codecs import STATIC
from rtp.pcap import read
from srs.archive.demultiplex import demultiplex
from srs.siprec.session import Stream


def stream_at(port, address=HERE, since=START_NS):
    return Stream(0, "audio", "1", (address, port), None, ((since, (STATIC[0],)),), ((since, "recvonly"),), None)


def test_datagrams_go_by_port_and_by_address_where_it_is_seen(tmp_path):
    scene, _ = call()
    scene.datagram(1000, b"elsewhere", (THERE, 1), ("127.0.0.77", PORTS[0]))
    datagrams = read(scene.write(tmp_path / "1.pcap"))
    seen, public = demultiplex(datagrams, [stream_at(PORTS[0]), stream_at(PORTS[1], "192.0.2.1")], START_NS)
    assert (len(seen), len(public)) == (200, 200)


def test_streams_that_follow_each_other_on_one_port_each_have_their_time(tmp_path):
    scene, _ = call()
    datagrams = read(scene.write(tmp_path / "1.pcap"))
    streams = [stream_at(PORTS[0], since=START_NS + ms * MS) for ms in (2100, 0)]
    second, first = demultiplex(datagrams, streams, START_NS)
    assert (len(first), len(second)) == (100, 100)
    assert datagrams.time_ns[first].max() < START_NS + 2100 * MS <= datagrams.time_ns[second].min()


def test_what_came_before_the_session_is_not_its_own(tmp_path):
    datagrams = read(call()[0].write(tmp_path / "1.pcap"))
    assert len(demultiplex(datagrams, [stream_at(PORTS[0])], START_NS + 4000 * MS)[0]) == 5

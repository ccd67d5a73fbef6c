"""A short, seeded form of `make fuzz`; and a recorder that is sent such messages over the wire."""

import random
import socket

import pytest
from fuzz.dialogs import run
from fuzz.mutation import mutated, seeds
from support.phone import SDP, Phone

ROUNDS = 40
PER_ROUND = 25


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_mutated_dialogs_are_read_or_refused(round_):
    for seed in range(round_ * PER_ROUND, (round_ + 1) * PER_ROUND):
        assert run(seed)


def test_the_same_seed_is_the_same_input():
    first = seeds()[0][0]
    assert mutated(first, random.Random(7)) == mutated(first, random.Random(7)) != first


@pytest.mark.parametrize("transport", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_recorder_that_is_sent_nonsense_goes_on_recording(recorder, transport):
    chance = random.Random(1)
    for number in range(300):
        octets = mutated(chance.choice(chance.choice(seeds())), chance).replace(b"fuzz@", b"fuzz%d@" % number)
        with socket.socket(socket.AF_INET, transport) as sock:
            sock.connect((recorder.host, recorder.port))
            sock.send(octets[:60_000])
    phone = Phone(recorder)
    assert phone.ask("INVITE", 1, "Require: siprec", body=SDP).code == 200
    phone.ask("BYE", 2)
    phone.socket.close()
    log = recorder.log.read_text()
    assert "Traceback" not in log
    assert phone.call_id in log

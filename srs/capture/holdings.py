"""What the keeper holds of the recording sessions under way: port pairs, checkpoints, INVITEs not answered yet."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from srs.capture import folder
from srs.capture.channel import Message
from srs.capture.children import Child
from srs.capture.ports import NoPorts, Pair, PortRange
from srs.capture.spare import SparePairs

log = structlog.get_logger()


@dataclass
class Holding:
    """What is held of one session."""

    recording: str
    call_id: str
    address: str
    """That packets are written down as sent to."""
    worker: Child
    invite: Message | None = None
    """That waits for ports and is not answered yet: the one it began with, or a re-INVITE."""
    bound: list[Pair] = field(default_factory=list)
    """That no worker has yet: what comes waits in the sockets."""
    pairs: list[Pair] = field(default_factory=list)
    """That its worker captures."""
    checkpoint: Message | None = None
    """What signalling needs to go on with it; None: the first INVITE is not answered yet."""
    keys: list[Message] = field(default_factory=list)
    """Of its SRTP, for the worker, as they were agreed on one after the other: packets with older ones may yet come."""
    closing: bool = False
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    """By operators, as a worker told them: since when and until when, UTC in nanoseconds; None: it goes on."""
    order: Message | None = None
    """To pause or to resume, which no worker has confirmed yet."""

    def close(self) -> None:
        for pair in (*self.bound, *self.pairs):
            pair.close()


class Holdings:
    """Does what signalling asks for its sessions, and tells new processes what they must know of them."""

    def __init__(self, data_dir: Path, ports: PortRange, signalling: Child, workers: Sequence[Child]) -> None:
        self._data_dir = data_dir
        self._spare = SparePairs(ports)
        self._short: set[str] = set()
        """Addresses of which spare pairs were taken."""
        self._signalling = signalling
        self._workers = workers
        self._held: dict[str, Holding] = {}
        self._loads: Counter[str] = Counter()
        """Sessions of each worker."""
        self._not_ended: set[str] = set()
        """Recordings whose captures the disk would not let us move."""

    def __len__(self) -> int:
        return len(self._held)

    # What signalling asks

    def open(self, message: Message) -> None:
        """Give a session port pairs: spare ones that signalling chose, or so many new ones, of which it is told."""
        address = message["address"]
        self._short.add(address)
        if "ports" in message:
            self._give(message, self._spare.take(address, message["ports"]))
            return
        try:
            pairs = self._spare.bind(address, message["pairs"])
        except (NoPorts, OSError) as error:
            self._signalling.send({"re": message["re"], "error": str(error)})
            return
        self._give(message, pairs)
        self._signalling.send({"re": message["re"], "ports": [pair.port for pair in pairs]})

    def _give(self, message: Message, pairs: list[Pair]) -> None:
        held = self._held.get(message["id"])
        if held is None:
            held = Holding(message["id"], message["call_id"], message["address"], self._least_loaded())
            self._held[held.recording] = held
            self._loads[held.worker.name] += 1
        held.invite = message["invite"]
        held.bound += [replace(pair, since_ns=message["since"]) for pair in pairs]

    def replenish(self) -> None:
        """Bind spare pairs for those that were taken, and tell signalling."""
        for address in self._short:
            if ports := self._spare.fill(address):
                self._signalling.send({"do": "spare", "address": address, "ports": ports})
        self._short.clear()

    def _least_loaded(self) -> Child:
        return min(self._workers, key=lambda worker: self._loads[worker.name])

    def capture(self, recording: str) -> None:
        """The capture file of a session is made: a worker shall write into it what comes to the ports bound."""
        if (held := self._held.get(recording)) and held.bound:
            pairs, held.bound = held.bound, []
            is_new = not held.pairs
            held.pairs += pairs
            self._hand_over(held, pairs)
            if is_new:
                self._hand_over_keys(held)

    def _hand_over(self, held: Holding, pairs: Sequence[Pair]) -> None:
        held.worker.send(
            {
                "do": "open",
                "id": held.recording,
                "call_id": held.call_id,
                "address": held.address,
                "since": min(pair.since_ns for pair in pairs),
                "path": str(folder.open_path(self._data_dir, held.recording)),
                "numbers": [number for pair in pairs for number in (2 * pair.number, 2 * pair.number + 1)],
            },
            [sock.fileno() for pair in pairs for sock in (pair.rtp, pair.rtcp)],
        )

    def _hand_over_keys(self, held: Holding) -> None:
        for keys in held.keys:
            held.worker.send(keys)

    def checkpoint(self, message: Message) -> None:
        if held := self._held.get(message["id"]):
            held.checkpoint, held.invite = message["state"], None

    def acknowledged(self, recordings: Sequence[str]) -> None:
        for recording in recordings:
            if (held := self._held.get(recording)) and held.checkpoint:
                held.checkpoint["accepted"] = None

    def ended(self, recording: str, bye: Message | None) -> None:
        if (held := self._held.get(recording)) and held.checkpoint:
            held.checkpoint["ended"], held.checkpoint["bye"] = True, bye

    def protect(self, message: Message) -> None:
        held = self._held.get(message["id"])
        if held and not (held.keys and held.keys[-1]["ports"] == message["ports"]):
            held.keys.append({**message, "at": time.time_ns()})
            if held.pairs:
                held.worker.send(held.keys[-1])

    def order(self, message: Message) -> None:
        """Have a worker pause or resume a session."""
        if held := self._held.get(message["id"]):
            held.order = {**message, "at": time.time_ns()}
            held.worker.send(held.order)

    def paused(self, message: Message) -> None:
        """A worker did so."""
        if held := self._held.get(message["id"]):
            held.pauses, held.order = message["pauses"], None
            self._signalling.send(message)

    def close(self, recording: str) -> None:
        """The session is over: the worker drains its sockets a last time and answers `closed`."""
        held = self._held.get(recording)
        if held is None:
            self._end(recording)
        elif held.pairs:
            held.closing, held.invite = True, None
            held.worker.send({"do": "close", "id": recording})
        else:  # no worker knows it
            self.release(recording)

    # Ends

    def closed(self, message: Message) -> None:
        """A worker has written all of a session."""
        self.release(message["id"])
        log.info("captured", recording=message["id"], packets=message["packets"], dropped=message["dropped"])

    def close_all(self) -> None:
        for recording in list(self._held):
            self.close(recording)

    def release_all(self) -> None:
        """Let go of what workers did not say was complete."""
        for recording in list(self._held):
            self.release(recording)
        self._spare.close()

    def release(self, recording: str) -> None:
        if held := self._held.pop(recording, None):
            held.close()
            self._loads[held.worker.name] -= 1
            self._end(recording)

    def end_left_over(self) -> None:
        """Hand captures of an interrupted run to the archive."""
        for recording in folder.left_over(self._data_dir, set()):
            log.warning("capture left over by an interrupted run", recording=recording)
            self._end(recording)

    def _end(self, recording: str) -> None:
        """Hand a capture to the archive, as soon as the disk lets us."""
        try:
            folder.end(self._data_dir, recording)
        except OSError as error:
            log.error("capture not handed over yet", recording=recording, reason=error.strerror)
            self._not_ended.add(recording)

    def retry_ends(self) -> None:
        for recording in list(self._not_ended):
            try:
                folder.end(self._data_dir, recording)
            except OSError:
                return
            self._not_ended.remove(recording)

    # What a new process must know

    def greet_worker(self, worker: Child) -> None:
        mine = [held for held in self._held.values() if held.worker is worker and held.pairs]
        for held in mine:
            self._hand_over(held, held.pairs)
            self._hand_over_keys(held)
            if held.pauses:
                worker.send({"do": "pauses", "id": held.recording, "pauses": held.pauses})
            if held.order:
                worker.send(held.order)
        worker.send({"do": "begin"})
        for held in mine:
            if held.closing:
                worker.send({"do": "close", "id": held.recording})

    def greet_signalling(self) -> list[Message]:
        """Tell it of its sessions and of spare ports; returns the INVITEs that it must answer once it listens."""
        living = [held for held in self._held.values() if not held.closing]
        again = [held.invite for held in living if held.invite is not None]
        answered = [held for held in living if held.checkpoint is not None]
        for held in answered:
            self._signalling.send({"do": "restore", "id": held.recording, "state": held.checkpoint})
            if held.pauses:
                self._signalling.send({"do": "pauses", "id": held.recording, "pauses": held.pauses})
        self._discard_unanswered([held for held in living if held.checkpoint is None])
        for address, ports in self._spare.ports().items():
            self._signalling.send({"do": "spare", "address": address, "ports": ports})
        return again

    def _discard_unanswered(self, unanswered: Sequence[Holding]) -> None:
        """Captures of calls that were never answered hold nothing; the client, or we, begin them anew."""
        kept = set(self._held) - {held.recording for held in unanswered}
        for recording in folder.left_over(self._data_dir, kept | self._not_ended):
            folder.open_path(self._data_dir, recording).unlink(missing_ok=True)
        for held in unanswered:
            self.close(held.recording)

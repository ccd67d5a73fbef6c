"""The transactions of RFC 3261 §17 and RFC 6026 as tables.

A transaction is one request with its responses. Four machines make a client or server reliable over UDP and let it
forget over TCP; a fifth, of the user agent core (§13.3.1.4), repeats a 2xx to INVITE until its ACK comes. Each machine
is a table: (state, input) -> (next state, orders). Inputs are messages that come or go, and timers that fire; the
orders tell the endpoint what to do. What is not in the table changes nothing.

Timers have their RFC letters; RFC 3261 has none for the 2xx, here they are OK_AGAIN and OK_OVER. A timer starts on
entering the states that `starts` names and lives on in a next state whose table knows it.
"""

import heapq
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from srs.sip.flow import Flow, Send
from srs.sip.message import Request, Response


@dataclass(frozen=True, slots=True)
class Timers:
    """The three base values, in seconds (RFC 3261 §17.1.1.1)."""

    t1: float = 0.5  # round-trip time estimate
    t2: float = 4.0  # longest interval between retransmissions
    t4: float = 5.0  # how long a message lives in the network

    @property
    def patience(self) -> float:
        """64·T1: after so long a peer counts as gone."""
        return 64 * self.t1


class Step(Enum):
    """What tables are looked up by: each is one object, so its hash need not be that of its name, which takes ten times
    as long."""

    __hash__ = object.__hash__


class State(Step):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Input(Step):
    REQUEST = "request"
    ACK = "ACK"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx to 6xx"
    BROKEN = "transport failure"

    @staticmethod
    def of(code: int) -> "Input":
        """The input that a response is."""
        if code < 200:
            return Input.PROVISIONAL
        return Input.SUCCESS if code < 300 else Input.FAILURE


class Timer(Step):
    A = "A"  # INVITE client: request again
    B = "B"  # INVITE client: no response
    D = "D"  # INVITE client: absorb repeated error responses
    E = "E"  # non-INVITE client: request again
    F = "F"  # non-INVITE client: no response
    G = "G"  # INVITE server: error response again
    H = "H"  # INVITE server: no ACK
    I = "I"  # noqa: E741 - the RFC's letter. INVITE server: absorb repeated ACKs
    J = "J"  # non-INVITE server: absorb repeated requests
    K = "K"  # non-INVITE client: absorb repeated responses
    L = "L"  # INVITE server: absorb repeated INVITEs after a 2xx (RFC 6026)
    M = "M"  # INVITE client: take further 2xx of forks (RFC 6026)
    OK_AGAIN = "2xx again"
    OK_OVER = "2xx without ACK"


class Do(Step):
    SEND = "send the newest message of the transaction (again)"
    ACK = "acknowledge the error response"
    PASS = "tell the application"
    TIMED_OUT = "tell that no answer came"
    BROKEN = "tell that the transport failed"


Table = Mapping[tuple[State, "Input | Timer"], tuple[State, tuple[Do, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """One kind of transaction."""

    name: str
    initial: State
    table: Table = field(repr=False)
    starts: Mapping[State, tuple[Timer, ...]] = field(repr=False)


_FINALS = (Input.SUCCESS, Input.FAILURE)

INVITE_SERVER = Machine(
    "INVITE server",
    State.PROCEEDING,
    {
        (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.SUCCESS): (State.ACCEPTED, (Do.SEND,)),
        (State.PROCEEDING, Input.FAILURE): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Timer.G): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Timer.H): (State.TERMINATED, (Do.TIMED_OUT,)),
        (State.COMPLETED, Input.ACK): (State.CONFIRMED, ()),
        (State.COMPLETED, Input.BROKEN): (State.TERMINATED, (Do.BROKEN,)),
        (State.CONFIRMED, Timer.I): (State.TERMINATED, ()),
        # RFC 6026 only absorbs an INVITE here; a client that repeats it lost our 2xx and need not wait for OK_AGAIN.
        (State.ACCEPTED, Input.REQUEST): (State.ACCEPTED, (Do.SEND,)),
        (State.ACCEPTED, Timer.L): (State.TERMINATED, ()),
    },
    {State.COMPLETED: (Timer.G, Timer.H), State.CONFIRMED: (Timer.I,), State.ACCEPTED: (Timer.L,)},
)

NON_INVITE_SERVER = Machine(
    "non INVITE server",
    State.TRYING,
    {
        (State.TRYING, Input.PROVISIONAL): (State.PROCEEDING, (Do.SEND,)),
        **{(State.TRYING, final): (State.COMPLETED, (Do.SEND,)) for final in _FINALS},
        (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (Do.SEND,)),
        (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, (Do.SEND,)),
        **{(State.PROCEEDING, final): (State.COMPLETED, (Do.SEND,)) for final in _FINALS},
        (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (Do.SEND,)),
        (State.COMPLETED, Timer.J): (State.TERMINATED, ()),
    },
    {State.COMPLETED: (Timer.J,)},
)

INVITE_CLIENT = Machine(
    "INVITE client",
    State.CALLING,
    {
        (State.CALLING, Timer.A): (State.CALLING, (Do.SEND,)),
        (State.CALLING, Timer.B): (State.TERMINATED, (Do.TIMED_OUT,)),
        (State.CALLING, Input.BROKEN): (State.TERMINATED, (Do.BROKEN,)),
        (State.CALLING, Input.PROVISIONAL): (State.PROCEEDING, (Do.PASS,)),
        (State.CALLING, Input.SUCCESS): (State.ACCEPTED, (Do.PASS,)),
        (State.CALLING, Input.FAILURE): (State.COMPLETED, (Do.ACK, Do.PASS)),
        (State.PROCEEDING, Input.BROKEN): (State.TERMINATED, (Do.BROKEN,)),
        (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, (Do.PASS,)),
        (State.PROCEEDING, Input.SUCCESS): (State.ACCEPTED, (Do.PASS,)),
        (State.PROCEEDING, Input.FAILURE): (State.COMPLETED, (Do.ACK, Do.PASS)),
        (State.COMPLETED, Input.FAILURE): (State.COMPLETED, (Do.ACK,)),
        (State.COMPLETED, Timer.D): (State.TERMINATED, ()),
        (State.ACCEPTED, Input.SUCCESS): (State.ACCEPTED, (Do.PASS,)),
        (State.ACCEPTED, Timer.M): (State.TERMINATED, ()),
    },
    {State.CALLING: (Timer.A, Timer.B), State.COMPLETED: (Timer.D,), State.ACCEPTED: (Timer.M,)},
)

NON_INVITE_CLIENT = Machine(
    "non INVITE client",
    State.TRYING,
    {
        **{(state, Timer.E): (state, (Do.SEND,)) for state in (State.TRYING, State.PROCEEDING)},
        **{(state, Timer.F): (State.TERMINATED, (Do.TIMED_OUT,)) for state in (State.TRYING, State.PROCEEDING)},
        **{(state, Input.BROKEN): (State.TERMINATED, (Do.BROKEN,)) for state in (State.TRYING, State.PROCEEDING)},
        **{(state, Input.PROVISIONAL): (State.PROCEEDING, (Do.PASS,)) for state in (State.TRYING, State.PROCEEDING)},
        **{
            (state, final): (State.COMPLETED, (Do.PASS,))
            for state in (State.TRYING, State.PROCEEDING)
            for final in _FINALS
        },
        (State.COMPLETED, Timer.K): (State.TERMINATED, ()),
    },
    {State.TRYING: (Timer.E, Timer.F), State.COMPLETED: (Timer.K,)},
)

ACCEPTANCE = Machine(
    "acceptance",
    State.ACCEPTED,
    {
        (State.ACCEPTED, Timer.OK_AGAIN): (State.ACCEPTED, (Do.SEND,)),
        (State.ACCEPTED, Timer.OK_OVER): (State.TERMINATED, (Do.TIMED_OUT,)),
        (State.ACCEPTED, Input.ACK): (State.TERMINATED, (Do.PASS,)),
    },
    {State.ACCEPTED: (Timer.OK_AGAIN, Timer.OK_OVER)},
)

_REPEATING = frozenset({Timer.A, Timer.E, Timer.G, Timer.OK_AGAIN})
_UNRELIABLE_ONLY = frozenset({Timer.A, Timer.E, Timer.G})
_ABSORBING = frozenset({Timer.D, Timer.I, Timer.J, Timer.K})  # there is nothing to absorb on a reliable transport
_AS_LONG_AS_T4 = frozenset({Timer.I, Timer.K})


def duration(timer: Timer, timers: Timers, reliable: bool) -> float | None:
    """How long a timer runs when it starts, in seconds (RFC 3261 table 4); None: it does not start."""
    if timer in _REPEATING:
        return None if reliable and timer in _UNRELIABLE_ONLY else timers.t1
    if reliable and timer in _ABSORBING:
        return 0.0
    return timers.t4 if timer in _AS_LONG_AS_T4 else timers.patience


@dataclass(eq=False, slots=True)
class Transaction:
    """A transaction on its way through its machine.

    The application gets it as a handle: `request` and `state` are for reading, all else is the endpoint's.
    """

    machine: Machine
    key: tuple[object, ...]
    request: Request
    flow: Flow
    state: State = State.TERMINATED
    message: Request | Response | None = None  # the newest that was sent
    data: bytes = b""  # the same for the wire
    tag: str = ""  # ours
    dialog_id: tuple[str, str, str] | None = None
    merge_key: tuple[object, ...] | None = None  # what a copy that took another path has in common (§8.2.2.2)
    cancelling: bool = False  # a CANCEL waits for the first provisional response (RFC 3261 §9.1)
    acknowledged: dict[str, Send] = field(default_factory=dict)  # ACKs of ours for 2xx, by the peer's tag
    deadlines: dict[Timer, float] = field(default_factory=dict)
    interval: float = 0.0  # of the running retransmission timer, seconds

    @property
    def alive(self) -> bool:
        return self.state is not State.TERMINATED

    def takes(self, event: Input | Timer) -> bool:
        """Whether the input means something in this state."""
        return (self.state, event) in self.machine.table

    def start(self, now: float, timers: Timers) -> None:
        self._enter(self.machine.initial, now, timers)

    def stop(self) -> None:
        """End the transaction without a word."""
        self.state = State.TERMINATED
        self.deadlines = {}

    def step(self, event: Input | Timer, now: float, timers: Timers) -> tuple[Do, ...]:
        """Take an input; the orders say what is to be done. Afterwards `deadlines` holds the timers that run."""
        row = self.machine.table.get((self.state, event))
        if row is None:
            return ()
        state, orders = row
        if isinstance(event, Timer):
            self._fired(event, now, timers)
        if state is not self.state:
            self._enter(state, now, timers)
        return orders

    def _fired(self, timer: Timer, now: float, timers: Timers) -> None:
        """Start a repeating timer again: A doubles without end, the others up to T2, E at T2 once a 1xx came."""
        del self.deadlines[timer]
        if timer in _REPEATING:
            doubled = 2 * self.interval if self.state is not State.PROCEEDING else timers.t2
            self.interval = doubled if timer is Timer.A else min(doubled, timers.t2)
            self.deadlines[timer] = now + self.interval

    def _enter(self, state: State, now: float, timers: Timers) -> None:
        self.state = state
        table = self.machine.table
        self.deadlines = {timer: at for timer, at in self.deadlines.items() if (state, timer) in table}
        for timer in self.machine.starts.get(state, ()):
            seconds = duration(timer, timers, self.flow.reliable)
            if seconds == 0:
                self._enter(table[state, timer][0], now, timers)
                return
            if seconds is not None:
                self.deadlines[timer] = now + seconds
                if timer in _REPEATING:
                    self.interval = seconds


class Alarms:
    """The running timers of all transactions: a heap in which those that were stopped since are passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer, Transaction]] = []
        self._order = itertools.count()

    def watch(self, transaction: Transaction, before: Mapping[Timer, float]) -> None:
        """Take over the deadlines of `transaction` that are not in `before`."""
        for timer, at in transaction.deadlines.items():
            if before.get(timer) != at:
                heapq.heappush(self._heap, (at, next(self._order), timer, transaction))

    def next(self) -> float | None:
        """When the next timer fires, None when none runs."""
        while self._heap:
            at, _, timer, transaction = self._heap[0]
            if transaction.deadlines.get(timer) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def due(self, now: float) -> Iterator[tuple[Transaction, Timer, float]]:
        """The timers that fire up to `now`, in their order, with their deadlines; also those that start meanwhile."""
        while (at := self.next()) is not None and at <= now:
            _, _, timer, transaction = heapq.heappop(self._heap)
            yield transaction, timer, at

"""A Call between its application and its client: order, memory, suspension, and every way to end."""

from __future__ import annotations

import errno
import io
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.worker import spool as spool_module
from hybridd.worker.call import Call, CallState
from hybridd.worker.effort import Mark
from hybridd.worker.lead import Lead
from hybridd.worker.room import Room

MEMORY = 100
SPOOL = 1000
HEAD = ResponseHead(200, "OK", [])


class PlayedDesk:
    """What the dispatch is for a Call: the jobs of the thread that leads, and who asked to go on."""

    response_memory = MEMORY
    response_spool = SPOOL

    def __init__(self) -> None:
        self.room = Room(1 << 30)
        self.lead = Lead()
        self.reactor = SimpleNamespace(now=0.0, clock=lambda: 0.0)
        self.posted: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self.resumed: list[Call] = []

    def post(self, fn: Callable[..., object], *args: object) -> None:
        self.posted.append((fn, args))

    def resume(self, call: Call) -> None:
        call.state = CallState.RESUMED
        self.resumed.append(call)

    def run(self, most: int = 1 << 30) -> None:
        """Do what was posted, in the thread that leads."""
        for _ in range(min(most, len(self.posted))):
            fn, args = self.posted.popleft()
            fn(*args)


class PlayedConnection:
    """HttpProtocol and its transport toward a slow client, as far as a Call can tell.

    ``waiting`` holds what was given and not taken by the client; above MEMORY the Call is told that the client is
    behind, and when it is empty that it has caught up.
    """

    def __init__(self) -> None:
        self.call: Call | None = None
        self.head: ResponseHead | None = None
        self.waiting: deque[bytes | tuple[int, int, int]] = deque()
        self.got = b""
        self.ended = ""
        self.lost = False
        self.told_behind = False

    # What a Call calls.

    def respond(self, head: ResponseHead, body: bytes) -> None:
        self.start(head, body)
        self.finish()

    def start(self, head: ResponseHead, first: bytes) -> None:
        assert self.head is None, "a head was sent already"
        if not self.lost:
            self.head = head
            self._give(first)

    def send(self, data: bytes) -> None:
        assert data
        if self._goes_on:
            self._give(data)

    def send_file(self, fd: int, offset: int, count: int) -> None:
        if self._goes_on:
            self._give((fd, offset, count))
        else:
            os.close(fd)

    def finish(self) -> None:
        if self._goes_on:
            self.ended = "finished"

    def abort_response(self) -> None:
        if self._goes_on:
            self.ended = "aborted"
            self.lose()

    @property
    def _goes_on(self) -> bool:
        return not self.lost and not self.ended

    # What the client does.

    def read(self, size: int) -> None:
        """Take up to ``size`` bytes."""
        while size and self.waiting:
            part = self.waiting.popleft()
            if isinstance(part, bytes):
                data, rest = part[:size], part[size:]
            else:
                fd, offset, length = part
                data = os.pread(fd, min(size, length), offset)
                rest = (fd, offset + len(data), length - len(data)) if length > len(data) else os.close(fd)
            if rest:
                self.waiting.appendleft(rest)
            self.got += data
            size -= len(data)
        if self.told_behind and not self.waiting and not self.lost:
            self.told_behind = False
            if self.call:
                self.call.client_caught_up()

    def lose(self) -> None:
        """Leave; files that wait are given back."""
        self.lost = True
        for part in self.waiting:
            if isinstance(part, tuple):
                os.close(part[0])
        self.waiting.clear()

    @property
    def in_memory(self) -> int:
        return sum(len(part) for part in self.waiting if isinstance(part, bytes))

    @property
    def size(self) -> int:
        return sum(len(part) if isinstance(part, bytes) else part[2] for part in self.waiting)

    def _give(self, part: bytes | tuple[int, int, int]) -> None:
        self.waiting.append(part)
        if self.size > MEMORY and not self.told_behind:
            self.told_behind = True
            assert self.call
            self.call.client_behind()


class Exchange:
    """The application's side: a generator of things to say; it rests when the Call says that it is behind."""

    def __init__(self, call: Call, script: Iterator[Callable[[], object]]) -> None:
        self.call = call
        self.script = script
        self.closed = 0

    def step(self) -> bool:
        for say in self.script:
            self.call.enter()
            self.call.leave()
            say()
            if self.call.gone:
                break
            if self.call.behind:
                return False
        self.closed += 1
        return True

    def abandon(self) -> None:
        self.closed += 1


@pytest.fixture
def desk():
    return PlayedDesk()


@pytest.fixture
def connection(desk):
    connection = PlayedConnection()
    call = connection.call = make_call(desk, connection)
    yield connection
    call.end()
    connection.lose()


@pytest.fixture
def call(connection):
    return connection.call


def make_call(desk: PlayedDesk, connection: PlayedConnection) -> Call:
    return Call(desk, connection, Request("GET", b"/", (1, 1), {}), copy_context())


def file_of(content: bytes) -> int:
    fd = os.memfd_create("file")
    os.write(fd, content)
    return fd


# -- a client that keeps up


def test_a_whole_answer_goes_through_the_leader(desk, connection, call):
    call.whole(HEAD, b"body")
    assert connection.head is None, "another thread touched the connection"
    desk.run()
    connection.read(100)
    assert (connection.head, connection.got, connection.ended) == (HEAD, b"body", "finished")


def test_parts_go_directly_while_the_client_keeps_up(desk, connection, call, monkeypatch):
    monkeypatch.setattr("hybridd.worker.call.Spool", lambda: pytest.fail("a spool for a client that keeps up"))
    call.start(HEAD, b"first ")
    for part in (b"second ", b"third"):
        call.send(part)
        desk.run()
        connection.read(100)
        assert not call.behind
    call.finish()
    desk.run()
    assert (connection.got, connection.ended) == (b"first second third", "finished")


def test_the_first_parts_of_a_leading_call_need_no_post(desk, connection, call):
    call.leading = True
    call.enter()
    call.leave()
    call.start(HEAD, b"at once")
    assert desk.posted == deque()
    connection.read(100)
    assert connection.got == b"at once"


def test_a_call_that_lost_the_lead_only_posts(desk, connection, call):
    call.leading = True
    call.enter()
    assert desk.lead.steal(call)
    call.leave()
    call.start(HEAD, b"posted")
    assert connection.head is None
    desk.run()
    connection.read(100)
    assert connection.got == b"posted"
    call.enter()  # it never leads again
    assert not desk.lead.steal(call)


def test_steps_run_in_the_calls_own_context(desk, connection, call):
    variable: ContextVar[int] = ContextVar("variable", default=0)
    seen = []

    def note() -> None:
        seen.append(variable.get())
        variable.set(variable.get() + 1)

    call.exchange = Exchange(call, iter([note, note]))
    call.exchange.step = lambda: (note(), False)[1]
    assert call.step() is False
    assert call.step() is False
    call.exchange.abandon = note
    assert call.abandon().done
    assert seen == [0, 1, 2]
    assert variable.get() == 0


# -- a client that is behind


def test_what_a_slow_client_has_not_taken_goes_to_a_file_and_arrives_in_order(desk, connection, call):
    parts = [bytes([n]) * 60 for n in range(1, 9)]
    call.start(HEAD, b"")
    for part in parts:
        call.send(part)
        desk.run()
    assert connection.in_memory <= MEMORY + 60
    call.finish()
    desk.run()
    while connection.waiting:
        connection.read(50)
    assert connection.got == b"".join(parts)
    assert connection.ended == "finished"


def test_while_a_spool_is_written_somebody_else_may_lead(desk, connection, call):
    """A disk keeps its thread waiting as an application does."""
    stolen = []

    class SlowDisk(Room):
        def take(self, size: int) -> bool:
            stolen.append(desk.lead.steal(call))
            return super().take(size)

    desk.room = SlowDisk(1 << 30)
    call.leading = True
    call.start(HEAD, b"")
    for _ in range(5):
        call.send(b"x" * 60)
    assert stolen == [True, False, False]
    assert not call.leading
    call.finish()
    desk.run()
    while connection.waiting:
        connection.read(50)
    assert connection.got == b"x" * 300
    assert connection.ended == "finished"


def test_a_leader_that_is_busy_counts_as_a_client_that_is_behind(desk, connection, call):
    """The application is faster than the loop: what lies in the loop's queue is memory too."""
    call.start(HEAD, b"")
    for _ in range(20):
        call.send(b"x" * 60)
    in_queue = sum(len(arg) for _, args in desk.posted for arg in args if isinstance(arg, bytes))
    assert in_queue <= MEMORY + 60
    call.finish()
    desk.run()
    while connection.waiting:
        connection.read(1000)
    assert connection.got == b"x" * 1200


def test_behind_is_told_beyond_the_spool_only(desk, connection, call):
    call.start(HEAD, b"")
    for n in range(100):
        assert call.behind == (n * 50 > SPOOL + call._flushed)
        if call.behind:
            break
        call.send(b"x" * 50)
        desk.run()
    assert call.behind
    assert connection.in_memory <= MEMORY + 50


def test_what_the_spool_has_handed_on_counts_until_the_client_has_it(desk, connection, call):
    call.start(HEAD, b"")
    said = 0
    for _ in range(2):
        while not call.behind:
            call.send(b"x" * 50)
            said += 50
            desk.run()
        connection.read(connection.size)  # it caught up, and has the whole spool before it now
    while not call.behind:
        call.send(b"x" * 50)
        said += 50
        desk.run()
    assert said - len(connection.got) <= SPOOL + MEMORY + 50


def test_a_suspended_call_goes_on_when_its_client_has_caught_up(desk, connection, call):
    call.start(HEAD, b"")
    while not call.behind:
        call.send(b"x" * 50)
        desk.run()
    call.rest()
    assert call.state is CallState.SUSPENDED
    assert desk.resumed == []
    connection.read(50)
    assert desk.resumed == [], "there is more for the client to take"
    while not desk.resumed:
        assert connection.waiting, "suspended for ever"
        connection.read(100)
    assert desk.resumed == [call]
    assert not call.behind


def test_a_client_that_caught_up_before_the_rest_was_heard_of(desk, connection, call):
    """The step has ended with "behind", and everything is taken before the leader learns of it."""
    call.start(HEAD, b"")
    while not call.behind:
        call.send(b"x" * 50)
    desk.run()
    while connection.waiting:
        connection.read(1000)
    assert desk.resumed == []
    call.rest()
    assert desk.resumed == [call]


def test_after_catching_up_memory_is_used_again(desk, connection, call):
    call.start(HEAD, b"")
    for _ in range(10):
        call.send(b"x" * 50)
        desk.run()
    assert call._spool is not None
    while connection.waiting:
        connection.read(1000)
    call.send(b"y" * 50)
    assert call._spool is None
    desk.run()
    assert list(connection.waiting) == [b"y" * 50]


# -- the ends


def test_an_abort_cuts_the_answer(desk, connection, call):
    call.start(HEAD, b"half")
    call.abort()
    desk.run()
    assert connection.ended == "aborted"


def test_nothing_is_given_to_a_client_that_is_gone(desk, connection, call):
    call.start(HEAD, b"x" * 150)
    desk.run()
    call.send(b"y" * 150)
    call.gone = True
    connection.lose()
    desk.run()
    call.send(b"z" * 150)
    call.send_file(file_of(b"file"), 0, 4)
    call.finish()
    desk.run()
    assert connection.ended == ""


def test_a_full_disk_cuts_the_answer_once_and_stops_the_application(desk, connection, call, monkeypatch, caplog):
    class FullDisk:
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(spool_module, "temporary_file", FullDisk)
    numbers = count()

    def say() -> None:
        if next(numbers) == 0:
            call.start(HEAD, b"x" * 60)
        else:
            call.send(b"x" * 60)

    call.exchange = Exchange(call, (say for _ in range(1000)))
    assert call.step() is True, "it must not wait for a client that is cut off"
    assert next(numbers) < 10, "the application is asked for more though nobody can get it"
    assert call.exchange.closed == 1
    desk.run()
    assert connection.ended == "aborted"
    (record,) = (record for record in caplog.records if record.name == "hybridd.worker")
    assert "No space left on device" in record.getMessage()
    assert record.exc_info is None


def test_what_was_kept_before_the_disk_was_full_is_given_back(desk, connection, call, monkeypatch):
    class SmallDisk(io.FileIO):
        def __init__(self) -> None:
            super().__init__(os.memfd_create("small"), "r+")

        def write(self, data: bytes, /) -> int:
            if self.tell():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(bytes(data)[:3])

    monkeypatch.setattr(spool_module, "temporary_file", SmallDisk)
    call.start(HEAD, b"x" * 2 * MEMORY)
    call.send(b"x" * 60)
    assert call.gone
    desk.run()
    assert desk.room.taken == 3
    call.end()
    call.request.finished = 1.0
    assert desk.room.take(desk.room.limit), "the file is gone, and its bytes are still taken"
    assert connection.ended == "aborted"


def test_closing_the_spool_leaves_what_is_being_sent(desk, connection, call):
    call.start(HEAD, b"")
    for _ in range(5):
        call.send(b"x" * 60)
        desk.run()
    call.finish()
    desk.run()
    call.end()
    call.end()
    while connection.waiting:
        connection.read(1000)
    assert connection.got == b"x" * 300


def test_at_its_end_it_lets_go_of_its_connection_but_not_of_the_next_call(desk, connection, call):
    following = make_call(desk, connection)
    connection.call = following
    call.end()
    assert connection.call is following
    following.end()
    assert connection.call is None


def test_a_step_in_the_pool_is_measured(call, monkeypatch):
    marks = iter([Mark(100.0, 7.0, 50.0, 1.0), Mark(103.0, 8.5, 52.0, 1.5)])
    monkeypatch.setattr("hybridd.worker.call.mark", lambda: next(marks))
    call.exchange = Exchange(call, iter([]))
    assert call.measured_step() == (True, (3.0, 1.5, 0.5, 0.5))


def test_it_says_what_it_is(call):
    assert repr(call) == "<Call GET / QUEUED>"


# -- every order of events


events = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 4)),
        st.tuples(st.just("lead"), st.integers(1, 4)),
        st.tuples(st.just("read"), st.integers(1, 400)),
    ),
    max_size=60,
)
says = st.lists(
    st.tuples(st.sampled_from(["send", "send", "send", "file"]), st.integers(1, 250)),
    min_size=1,
    max_size=40,
)


class Life:
    """A whole response: its application's thread, the thread that leads, its client; one step at a time each."""

    def __init__(self, says: list[tuple[str, int]]) -> None:
        self.desk = PlayedDesk()
        self.connection = PlayedConnection()
        self.call = self.connection.call = make_call(self.desk, self.connection)
        self.call.state = CallState.RUNNING
        self.said = b""
        self.most_in_memory = 0
        self.most_ahead = 0
        self.largest = max(size for _, size in says)
        self._says = deque(says)
        self._letters = count(1)
        self._reported = False  # its thread has posted that it rests or has ended
        self.done = False
        self.call.start(HEAD, b"")

    def say(self, most: int) -> None:
        """Let the application's thread run, if it has one: some parts, then what the end of a step does."""
        if self.call.state is not CallState.RUNNING or self._reported:
            return
        for _ in range(most):
            if self.call.behind:
                self._reported = True
                self.desk.post(self._rested)
                return
            if not self._says:
                self.call.finish()
                self._reported = True
                self.desk.post(self._ended)
                return
            self._say(*self._says.popleft())
            self.look()

    def lead(self, most: int) -> None:
        """Let the thread that leads do some of what was posted."""
        self.desk.run(most)
        self.look()
        if self.desk.resumed:
            self.desk.resumed.clear()
            self.call.state = CallState.RUNNING

    def read(self, size: int) -> None:
        self.connection.read(size)
        self.look()

    def look(self) -> None:
        posted = sum(len(arg) for _, args in self.desk.posted for arg in args if isinstance(arg, bytes))
        self.most_in_memory = max(self.most_in_memory, posted + self.connection.in_memory)
        self.most_ahead = max(self.most_ahead, len(self.said) - len(self.connection.got))

    def _say(self, kind: str, size: int) -> None:
        data = bytes([next(self._letters) % 251]) * size
        self.said += data
        if kind == "send":
            self.call.send(data)
        else:
            self.call.send_file(file_of(b"before" + data + b"behind"), 6, size)

    def _rested(self) -> None:
        self._reported = False
        self.call.rest()

    def _ended(self) -> None:
        self.done = True
        self.call.state = CallState.DONE
        self.call.end()


@given(says, events)
def test_in_every_order_of_events_the_client_gets_what_was_said(says, events):
    life = Life(says)
    for what, argument in events:
        getattr(life, what)(argument)
    for _ in range(1000):
        if life.done and not life.connection.waiting:
            break
        life.say(2)
        life.lead(3)
        life.read(300)
    assert life.done, f"it never ended: {life.call}"
    assert life.connection.got == life.said
    assert life.connection.ended == "finished"
    # What the transport may hold, what may be on its way to it, and a part on top of each.
    assert life.most_in_memory <= 2 * (MEMORY + life.largest)
    # What it was allowed, what the transport may hold without calling it behind, and the part that went beyond.
    assert life.most_ahead <= SPOOL + MEMORY + life.largest


@given(says, events, st.integers(0, 60))
def test_in_every_order_of_events_a_client_may_leave(says, events, leaves):
    life = Life(says)
    for number, (what, argument) in enumerate(events):
        if number == leaves:
            life.connection.lose()
            life.call.gone = True
        getattr(life, what)(argument)
    life.connection.lose()
    life.call.gone = True
    life.desk.run()
    life.call.end()
    assert life.said.startswith(life.connection.got)


def test_without_room_for_a_spool_memory_takes_one_part_and_the_application_rests(desk, connection, call):
    desk.room = Room(0)
    call.start(HEAD, b"x" * 150)
    desk.run()
    assert not call.behind
    call.send(b"y" * 60)
    assert call.behind
    desk.run()
    connection.read(1000)
    assert not call.behind
    call.send(b"z" * 60)
    desk.run()
    connection.read(1000)
    assert connection.got == b"x" * 150 + b"y" * 60 + b"z" * 60


def test_who_cannot_rest_is_cut_when_there_is_no_room(desk, connection, call, caplog):
    """The legacy write(): what it is given must go somewhere."""
    desk.room = Room(0)
    call.start(HEAD, b"x" * 150)
    desk.run()
    call.send(b"y" * 60)
    call.send(b"z" * 60)
    desk.run()
    assert connection.ended == "aborted"
    assert "limits.spool" in caplog.text


def test_without_a_descriptor_for_the_client_the_response_is_cut(desk, connection, call, monkeypatch, caplog):
    """The thread that leads says so: an error there would end the worker."""

    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(spool_module.os, "dup", refuse)
    call.start(HEAD, b"x" * 150)
    desk.run()
    call.send(b"y" * 60)
    desk.run()
    connection.read(1000)
    assert connection.ended == "aborted"
    assert call.gone
    assert "Too many open files" in caplog.text
    call.end()

"""Real sockets on a real loop: what a protocol is told, what its peer sees, in which order, and what is given back."""

from __future__ import annotations

import errno
import fcntl
import gc
import socket
import struct
import threading
import tracemalloc
import weakref
from contextlib import suppress

import pytest

from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.net.transport import SocketTransport
from hybridd.net.writing import HIGH_WATERMARK, LOW_WATERMARK
from tests.support.descriptors import file_of, is_open
from tests.support.led_reactor import LedReactor, Telling, read_exactly, read_to_end

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST
MEGABYTE = 1 << 20


@pytest.fixture
def led():
    led = LedReactor()
    yield led
    led.close()


@pytest.fixture(params=["tcp", "unix"])
def connect(led, request):
    """Serve one connection: connect(protocol) -> (transport, client)."""
    return getattr(led, request.param)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes of which no two stretches of a socket buffer's size are alike."""
    block = b"".join((n + seed).to_bytes(4, "big") for n in range(size // 4 + 1))
    return block[:size]


# -- there and back


def test_five_megabytes_there_and_back(led, connect):
    echo = Telling()
    _, client = connect(echo)
    echo.data_received = echo.transport.write
    sent = pattern(5 * MEGABYTE)

    def send() -> None:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    assert read_to_end(client) == sent
    sender.join()
    echo.wait_for("eof_received")
    assert echo.wait_for("connection_lost") is None
    assert (led.terms.received, led.terms.sent) == (len(sent), len(sent))


def test_an_ordinary_life(connect):
    protocol = Telling()
    transport, client = connect(protocol)
    assert protocol.expect("connection_made") is transport
    client.sendall(b"hello")
    assert protocol.expect_data(5) == b"hello"
    client.close()
    protocol.expect("eof_received")
    assert protocol.expect("connection_lost") is None


def test_what_a_protocol_may_ask(led):
    protocol = Telling()
    transport, client = led.tcp(protocol)
    assert transport.get_extra_info("peername") == client.getsockname()
    assert transport.get_extra_info("sockname") == client.getpeername()
    assert transport.get_extra_info("socket").fileno() > 0
    assert transport.get_extra_info("cipher", "none") == "none"
    assert transport.get_protocol() is protocol
    assert transport.can_write_eof()
    assert transport.is_reading()
    assert not transport.is_closing()
    assert "OPEN" in repr(transport)
    led.ask(transport.abort)
    assert transport.get_extra_info("sockname", "gone") == "gone"
    assert transport.is_closing()
    assert not transport.is_reading()


def test_time_is_the_loops(led, connect):
    transport, _ = connect(Telling())
    assert led.ask(lambda: transport.time() == led.reactor.now)


def test_another_protocol_can_go_on(led, connect):
    first, second = Telling(), Telling()
    transport, client = connect(first)
    led.ask(lambda: transport.set_protocol(second))
    client.sendall(b"x")
    assert second.expect_data(1) == b"x"
    client.close()
    second.expect("eof_received")
    second.expect("connection_lost")
    assert first.told == ["connection_made"]


# -- half-close


def test_after_the_clients_fin_the_answer_can_still_go(led, connect):
    protocol = Telling(eof_received=lambda _: True)
    transport, client = connect(protocol)
    client.sendall(b"request")
    client.shutdown(socket.SHUT_WR)
    protocol.expect("connection_made")
    assert protocol.expect_data(7) == b"request"
    protocol.expect("eof_received")
    led.settle()
    led.ask(lambda: transport.write(b"answer "))
    led.ask(lambda: transport.write(b"in parts"))
    led.ask(transport.close)
    assert read_to_end(client) == b"answer in parts"
    protocol.expect("connection_lost")


def test_a_fin_that_is_not_wanted_closes_behind_what_waits(connect):
    answer = pattern(3 * MEGABYTE)
    protocol = Telling(eof_received=lambda self: self.transport.write(answer))
    _, client = connect(protocol)
    client.shutdown(socket.SHUT_WR)
    assert read_to_end(client) == answer
    protocol.expect("connection_made")
    protocol.expect("eof_received")


def test_a_fin_is_told_once_and_does_not_spin_the_loop(led, connect):
    protocol = Telling(eof_received=lambda _: True)
    _, client = connect(protocol)
    client.shutdown(socket.SHUT_WR)
    protocol.expect("connection_made")
    protocol.expect("eof_received")
    before = led.turns
    led.pass_time(0.2)
    assert led.turns - before < 10
    assert protocol.told == []


def test_write_eof_goes_behind_what_waits_and_reading_goes_on(led, connect):
    protocol = Telling()
    transport, client = connect(protocol)
    answer = pattern(3 * MEGABYTE)

    def say() -> None:
        transport.write(answer)
        transport.write_eof()
        transport.write(b"too late")
        transport.write_eof()

    led.ask(say)
    assert read_to_end(client) == answer
    protocol.skip()  # how much of it had to wait does not matter
    client.sendall(b"and you?")
    assert protocol.expect_data(8) == b"and you?"
    client.close()
    protocol.expect("eof_received")
    assert protocol.expect("connection_lost") is None


def test_write_eof_without_anything_waiting_sends_it_at_once(led, connect):
    transport, client = connect(Telling())
    led.ask(transport.write_eof)
    assert client.recv(1) == b""
    assert not transport.is_closing()


# -- pause and resume


def test_a_paused_connection_reads_nothing_and_loses_nothing(led, connect):
    protocol = Telling()
    transport, client = connect(protocol)
    led.ask(transport.pause_reading)
    client.sendall(b"waiting")
    led.settle()
    assert protocol.told == ["connection_made"]
    assert not transport.is_reading()
    led.ask(transport.resume_reading)
    assert protocol.expect_data(7) == b"waiting"
    led.ask(transport.resume_reading)
    assert transport.is_reading()


def test_the_reset_of_a_paused_peer_does_not_spin_the_loop(led):
    """With an event mask of 0 instead of unregister, epoll reports the hang-up as fast as it is asked."""
    protocol = Telling()
    transport, client = led.tcp(protocol)
    client.sendall(b"unread")
    led.ask(transport.pause_reading)
    reset(client)
    led.settle()
    before = led.turns
    led.pass_time(0.2)
    assert led.turns - before < 10
    protocol.skip()  # whether the bytes came before the pause does not matter
    led.ask(transport.resume_reading)
    assert isinstance(protocol.wait_for("connection_lost"), ConnectionResetError)


def test_a_pause_before_the_first_byte_holds(led, connect):
    protocol = Telling(connection_made=lambda self: self.transport.pause_reading())
    transport, client = connect(protocol)
    client.sendall(b"early")
    led.settle()
    assert protocol.told == ["connection_made"]
    led.ask(transport.resume_reading)
    assert protocol.expect_data(5) == b"early"


def test_resuming_after_the_peers_fin_brings_nothing_back(led, connect):
    protocol = Telling(eof_received=lambda _: True)
    transport, client = connect(protocol)
    client.shutdown(socket.SHUT_WR)
    protocol.expect("connection_made")
    protocol.expect("eof_received")
    led.ask(transport.pause_reading)
    led.ask(transport.resume_reading)
    led.settle()
    assert not transport.is_reading()
    assert protocol.told == []


# -- writing


def test_parts_files_and_parts_arrive_in_order(led, connect):
    transport, client = connect(Telling())
    contents = [pattern(size, seed) for seed, size in enumerate((MEGABYTE, 5, 2 * MEGABYTE, 70_000, 0, 3, 100_000))]
    files = []

    def say() -> None:
        for number, content in enumerate(contents):
            if number % 2:
                transport.write(content)
            else:
                files.append(file_of(b"skipped" + content + b"not sent"))
                transport.sendfile(files[-1], 7, len(content))
        transport.close()

    led.ask(say)
    assert read_to_end(client) == b"".join(contents)
    led.settle()
    assert not any(map(is_open, files))
    assert led.terms.sent == sum(map(len, contents))


def test_a_buffer_that_is_changed_after_write_is_sent_as_it_was(led):
    transport, client = led.tcp(Telling(), buffer=4096)
    data = bytearray(pattern(MEGABYTE))
    whole = bytes(data)

    def say() -> None:
        transport.write(data)
        data[:] = bytes(len(data))
        view = memoryview(bytearray(b"view"))
        transport.write(view)
        view[:] = b"XXXX"
        transport.writelines([b"a", bytearray(b"b"), memoryview(b"c")])

    led.ask(say)
    assert read_exactly(client, len(whole) + 7) == whole + b"viewabc"


def test_writing_nothing_is_nothing(led, connect):
    transport, client = connect(Telling())
    fd = file_of(b"x")

    def say() -> None:
        transport.write(b"")
        transport.writelines([])
        transport.sendfile(fd, 0, 0)

    led.ask(say)
    assert transport.get_write_buffer_size() == 0
    assert not is_open(fd)
    led.ask(lambda: transport.write(b"end"))
    assert client.recv(100) == b"end"


def test_the_watermarks_say_when_to_stop_and_when_to_go_on(led):
    protocol = Telling()
    transport, client = led.tcp(protocol, buffer=4096)
    protocol.expect("connection_made")
    assert transport.get_write_buffer_limits() == (LOW_WATERMARK, HIGH_WATERMARK)
    sizes = []
    protocol.resume_writing = lambda: sizes.append(transport.get_write_buffer_size())
    written = 0

    def write() -> int:
        transport.write(b"x" * 8192)
        return transport.get_write_buffer_size()

    waiting = 0
    while "pause_writing" not in protocol.told:
        assert waiting <= HIGH_WATERMARK
        waiting = led.ask(write)
        written += 8192
    assert waiting > HIGH_WATERMARK
    led.ask(write)
    assert protocol.told == [], "told once"
    read_exactly(client, written + 8192)
    led.settle()
    assert len(sizes) == 1
    assert 0 <= sizes[0] <= LOW_WATERMARK
    assert transport.get_write_buffer_size() == 0


def test_it_may_go_on_while_something_still_waits(led):
    sizes = []
    protocol = Telling(resume_writing=lambda self: sizes.append(self.transport.get_write_buffer_size()))
    transport, client = led.tcp(protocol, buffer=4096)
    led.ask(lambda: transport.set_write_buffer_limits(high=900_000, low=800_000))
    led.ask(lambda: transport.write(bytes(MEGABYTE)))
    read_exactly(client, MEGABYTE)
    protocol.wait_for("resume_writing")
    assert 0 < sizes[0] <= 800_000


def test_with_a_high_watermark_of_0_every_wait_is_told(led):
    """What the HTTP protocol does, to hear when an answer is wholly with the kernel."""
    protocol = Telling()
    transport, client = led.tcp(protocol, buffer=4096)
    led.ask(lambda: transport.set_write_buffer_limits(high=0))
    protocol.expect("connection_made")
    for _ in range(3):
        led.ask(lambda: transport.write(bytes(MEGABYTE)))
        protocol.expect("pause_writing")
        read_exactly(client, MEGABYTE)
        protocol.expect("resume_writing")
        assert transport.get_write_buffer_size() == 0
    led.ask(lambda: transport.write(b"small"))
    assert protocol.told == []


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        ({}, (HIGH_WATERMARK // 4, HIGH_WATERMARK)),
        ({"high": 100}, (25, 100)),
        ({"low": 100}, (100, 400)),
        ({"high": 0}, (0, 0)),
        ({"high": 7, "low": 7}, (7, 7)),
    ],
)
def test_watermarks_are_set_as_asyncio_sets_them(led, asked, limits):
    transport, _ = led.unix(Telling())
    transport.set_write_buffer_limits(**asked)
    assert transport.get_write_buffer_limits() == limits


@pytest.mark.parametrize("asked", [{"high": 1, "low": 2}, {"high": -1}, {"low": -1}])
def test_watermarks_that_make_no_sense_are_refused(led, asked):
    transport, _ = led.unix(Telling())
    with pytest.raises(ValueError, match="high"):
        transport.set_write_buffer_limits(**asked)
    assert transport.get_write_buffer_limits() == (LOW_WATERMARK, HIGH_WATERMARK)


def test_one_may_write_more_and_close_when_told_to_go_on(led):
    first, second = pattern(MEGABYTE), pattern(MEGABYTE, 7)

    def go_on(self: Telling) -> None:
        self.transport.write(second)
        self.transport.close()

    protocol = Telling(resume_writing=go_on)
    transport, client = led.tcp(protocol, buffer=4096)
    led.ask(lambda: transport.write(first))
    assert read_to_end(client) == first + second


# -- deadlines


def test_a_deadline_is_told_once(led, connect):
    protocol = Telling()
    transport, _ = connect(protocol)
    protocol.expect("connection_made")
    led.ask(lambda: transport.set_deadline(0.05))
    protocol.expect("deadline_expired")
    led.pass_time(0.2)
    assert protocol.told == []


def test_a_deadline_taken_back_or_moved_does_not_come(led, connect):
    taken_back, moved = Telling(), Telling()
    transport, _ = connect(taken_back)
    other, _ = connect(moved)

    def wish() -> None:
        transport.set_deadline(0.05)
        transport.set_deadline(None)
        other.set_deadline(0.05)
        other.set_deadline(100)

    led.ask(wish)
    led.pass_time(0.3)
    assert taken_back.told == moved.told == ["connection_made"]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_after_the_end_no_deadline_comes(led, connect, end):
    protocol = Telling()
    transport, _ = connect(protocol)

    def wish() -> None:
        transport.set_deadline(0.05)
        getattr(transport, end)()
        transport.set_deadline(0.05)  # its protocol has not been told yet

    led.ask(wish)
    led.pass_time(0.2)
    assert protocol.told == ["connection_made", "connection_lost"]
    assert not any(led.ask(lambda: list(led.reactor.deadlines._waiting.values()))), "a closed connection is kept"


def test_a_peer_that_does_not_read_is_cut():
    led = LedReactor(write_timeout=0.2)
    try:
        protocol = Telling()
        transport, client = led.tcp(protocol, buffer=4096)
        fd = file_of(pattern(MEGABYTE))

        def say() -> None:
            transport.write(pattern(MEGABYTE))
            transport.sendfile(fd, 0, MEGABYTE)
            transport.write_eof()

        led.ask(say)
        protocol.expect("connection_made")
        protocol.expect("pause_writing")
        assert isinstance(protocol.expect("connection_lost"), TimeoutError)
        assert not is_open(fd)
        with pytest.raises(ConnectionResetError):
            read_to_end(client)
    finally:
        led.close()


def test_a_peer_that_reads_slowly_but_reads_is_not_cut():
    led = LedReactor(write_timeout=0.3)
    try:
        protocol = Telling()
        transport, client = led.tcp(protocol, buffer=4096)
        whole = pattern(MEGABYTE)
        led.ask(lambda: transport.write(whole))
        led.ask(transport.close)
        got = b""
        for _ in range(6):  # in all twice the time that a peer may read nothing
            got += read_exactly(client, 100_000)
            led.pass_time(0.1)
        assert got + read_to_end(client) == whole
        for event in ("connection_made", "pause_writing", "resume_writing"):
            protocol.expect(event)
        assert protocol.expect("connection_lost") is None
    finally:
        led.close()


# -- the end


def test_close_sends_what_waits(led, connect):
    protocol = Telling()
    transport, client = connect(protocol)
    whole = pattern(2 * MEGABYTE)

    def say() -> None:
        transport.write(whole)
        transport.close()
        transport.write(b"too late")
        transport.close()

    led.ask(say)
    assert transport.is_closing()
    assert read_to_end(client) == whole
    led.settle()
    assert protocol.told[-1] == "connection_lost"


def test_the_loss_is_told_in_a_later_turn_and_once(led, connect):
    order = []
    protocol = Telling(connection_lost=lambda _: order.append("lost"))
    transport, _ = connect(protocol)

    def end() -> None:
        transport.close()
        transport.close()
        transport.abort()
        order.append("returned")

    led.ask(end)
    led.settle()
    assert order == ["returned", "lost"]


def test_abort_drops_what_waits_and_resets(led):
    protocol = Telling()
    transport, client = led.tcp(protocol, buffer=4096)
    fd = file_of(b"x" * 100)

    def say() -> None:
        transport.write(bytes(MEGABYTE))
        transport.sendfile(fd, 0, 100)
        transport.abort()

    led.ask(say)
    with pytest.raises(ConnectionResetError):
        read_to_end(client)
    assert not is_open(fd)
    protocol.expect("connection_made")
    protocol.expect("pause_writing")
    assert protocol.expect("connection_lost") is None


def test_a_file_that_became_shorter_cuts_the_connection_visibly(led):
    protocol = Telling()
    transport, client = led.tcp(protocol)
    fd = file_of(b"x" * 100)
    led.ask(lambda: transport.sendfile(fd, 0, 5000))
    protocol.expect("connection_made")
    error = protocol.expect("connection_lost")
    assert isinstance(error, OSError)
    assert error.errno == errno.EIO
    assert not is_open(fd)
    with pytest.raises(ConnectionResetError):  # a FIN would make the part look like the whole
        read_to_end(client)


def test_a_peer_that_leaves_while_much_waits(led):
    protocol = Telling()
    transport, client = led.tcp(protocol, buffer=4096)
    fd = file_of(pattern(MEGABYTE))
    led.ask(lambda: transport.write(bytes(MEGABYTE)))
    led.ask(lambda: transport.sendfile(fd, 0, MEGABYTE))
    reset(client)
    protocol.expect("connection_made")
    protocol.expect("pause_writing")
    assert isinstance(protocol.expect("connection_lost"), ConnectionError)
    assert not is_open(fd)
    late = file_of(b"late")
    led.ask(lambda: transport.sendfile(late, 0, 4))
    assert not is_open(late)


def test_writing_to_a_peer_that_is_gone_is_a_loss_and_no_exception(led):
    protocol = Telling()
    transport, client = led.tcp(protocol)
    led.ask(transport.pause_reading)  # so that only the write finds out
    reset(client)

    def write() -> bool:
        transport.write(b"anybody there?")
        return transport.is_closing()

    for _ in range(100):
        if led.ask(write):
            break
    protocol.expect("connection_made")
    assert isinstance(protocol.expect("connection_lost"), ConnectionError)


def test_a_kernel_that_can_watch_no_more_costs_one_connection(led, connect, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "fs.epoll.max_user_watches")

    protocol = Telling()
    transport, client = connect(protocol)
    led.ask(transport.pause_reading)
    with monkeypatch.context() as patch:
        patch.setattr(led.reactor, "register", refuse)
        led.ask(transport.resume_reading)
    assert protocol.expect("connection_made") is transport
    assert protocol.expect("connection_lost").errno == errno.ENOSPC
    assert client.recv(1) == b""
    assert led.terms.open.keys() == set()


def test_the_books_are_right(led, connect):
    transports = [connect(Telling())[0] for _ in range(3)]
    assert led.terms.open.keys() == set(transports)
    led.ask(transports[0].abort)
    led.settle()
    assert led.terms.open.keys() == set(transports[1:])
    assert led.terms.lost == 1
    told = []
    led.terms.lost_one = told.append
    led.ask(transports[1].abort)
    led.settle()
    assert told == [None]


def test_a_lost_connection_is_freed_at_once(led, connect):
    """Not by the collector: under a load of short connections the garbage would be most of the memory."""
    gc.collect()
    gc.disable()
    try:
        protocol = Telling()
        transport, client = connect(protocol)
        gone = weakref.ref(protocol)
        client.close()
        led.settle()
        led.ask(lambda: None)
        del protocol
        led.settle()
        del transport
        led.settle()
        assert gone() is None, "transport and protocol hold each other"
    finally:
        gc.enable()


def test_an_idle_connection_costs_little_memory():
    """A good half of the 1 KiB that one may cost; its socket, its peer's name and its protocol have the rest.

    Each has sent and received before, so that what only a busy one needs is seen if it stays.
    """

    class Small:
        __slots__ = ()

        def connection_made(self, transport: SocketTransport) -> None:
            transport.set_deadline(75)
            transport.write(bytes(100_000))  # more than a unix socket takes at once

        def connection_lost(self, _: object) -> None:
            pass

        pause_writing = resume_writing = eof_received = lambda self: None

    number = 400
    pairs = [socket.socketpair() for _ in range(number)]
    reactor = Reactor()
    terms = Terms(reactor, 30.0)
    protocol = Small()
    tracemalloc.start()
    try:
        for sock, client in pairs:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            client.setblocking(False)
            SocketTransport(terms, sock, protocol, "peer").open()
        assert any(transport.get_write_buffer_size() for transport in terms.open)
        while any(transport.get_write_buffer_size() for transport in terms.open):
            for _, client in pairs:
                with suppress(BlockingIOError):
                    client.recv(200_000)
            reactor.post(int)
            reactor.turn()
        gc.collect()
        each = tracemalloc.get_traced_memory()[0] / number
    finally:
        tracemalloc.stop()
        for transport in list(terms.open):
            transport.abort()
        reactor.close()
        for _, client in pairs:
            client.close()
    assert each <= 600, f"{each:.0f} bytes"


# -- protocols that fail


def failing(_: Telling) -> None:
    raise LookupError("a defect of the protocol")


@pytest.mark.parametrize(
    "event",
    [
        "connection_made", "data_received", "eof_received", "pause_writing", "resume_writing", "deadline_expired",
        "connection_lost",
    ],
)  # fmt: skip
def test_a_protocol_that_fails_is_cut_and_the_others_live(led, caplog, event):
    other = Telling(data_received=lambda self: self.transport.write(b"still here"))
    _, others_client = led.tcp(other)
    protocol = Telling(**{event: failing})
    transport, client = led.tcp(protocol, buffer=4096)
    if event == "deadline_expired":
        led.ask(lambda: transport.set_deadline(0))
    elif event in ("pause_writing", "resume_writing"):
        led.ask(lambda: transport.write(bytes(MEGABYTE)))
        if event == "resume_writing":
            with suppress(ConnectionResetError):  # it is cut when the last byte is with the kernel
                read_exactly(client, MEGABYTE)
    elif event in ("data_received", "connection_lost"):
        client.sendall(b"x")
    if event in ("eof_received", "connection_lost"):
        client.shutdown(socket.SHUT_WR)
    error = protocol.wait_for("connection_lost")
    if event != "connection_lost":
        assert isinstance(error, LookupError), "connection_lost says what ended the connection, as in asyncio"
    others_client.sendall(b"hello?")
    assert others_client.recv(100) == b"still here"
    led.settle()
    assert led.terms.open.keys() == {other.transport}
    (record,) = (record for record in caplog.records if record.name == "hybridd.net")
    assert record.exc_info is not None
    assert "a defect of the protocol" in str(record.exc_info[1])


def test_what_has_come_before_it_was_opened_is_read_at_once_and_once():
    """Most clients have asked before they are accepted: one turn less for each."""
    reactor = Reactor()
    ours, client = socket.socketpair()
    ours.setblocking(False)
    client.sendall(b"x")
    protocol = Telling()
    SocketTransport(Terms(reactor, 30.0), ours, protocol, "peer").open()
    assert (protocol.told, protocol.received) == (["connection_made", "data_received"], b"x")
    reactor.post(int)
    reactor.turn()
    assert protocol.received == b"x"
    protocol.transport.abort()
    client.close()
    reactor.close()


# -- several events of one select


@pytest.fixture
def two():
    """Two connections of a loop that the test itself turns, both with a byte to read."""
    reactor = Reactor()
    terms = Terms(reactor, 30.0)
    sockets = []

    def connect(protocol) -> SocketTransport:
        sock, client = socket.socketpair()
        sock.setblocking(False)
        sockets.append(client)
        transport = SocketTransport(terms, sock, protocol, "peer")
        transport.open()
        client.sendall(b"x")  # not before: it would be read at once
        return transport

    yield reactor, terms, connect
    for transport in list(terms.open):
        transport.abort()
    for sock in sockets:
        sock.close()
    reactor.close()


def test_an_event_of_a_closed_connection_does_not_reach_the_next_owner_of_its_number(two):
    reactor, terms, connect = two
    pair: list[Telling] = []
    heirs: list[Telling] = []
    kept = []

    def replace_the_other(self: Telling) -> None:
        other = pair[1] if self is pair[0] else pair[0]
        number = other.transport.get_extra_info("socket").fileno()
        other.transport.abort()
        heir, peers = socket.socketpair()
        if heir.fileno() != number:  # the lowest free one; was it given to the other end?
            heir, peers = peers, heir
        if heir.fileno() != number:
            with heir:
                heir = socket.socket(fileno=fcntl.fcntl(heir, fcntl.F_DUPFD_CLOEXEC, number))
        assert heir.fileno() == number
        heir.setblocking(False)
        kept.append(peers)
        heirs.append(Telling())
        SocketTransport(terms, heir, heirs[-1], "heir").open()

    pair += [Telling(data_received=replace_the_other) for _ in range(2)]
    for protocol in pair:
        connect(protocol)
    for _ in range(3):
        reactor.post(int)
        reactor.turn()
    for sock in kept:
        sock.close()
    assert [protocol.told.count("data_received") for protocol in pair] in ([1, 0], [0, 1])
    (heir,) = heirs
    assert heir.told == ["connection_made"]


def test_an_event_of_a_connection_paused_meanwhile_is_ignored(two):
    reactor, _, connect = two
    pair: list[Telling] = []

    def pause_the_other(self: Telling) -> None:
        (pair[1] if self is pair[0] else pair[0]).transport.pause_reading()

    pair += [Telling(data_received=pause_the_other) for _ in range(2)]
    for protocol in pair:
        connect(protocol)
    for _ in range(3):
        reactor.post(int)
        reactor.turn()
    read = [protocol for protocol in pair if protocol.received]
    assert len(read) == 1
    (paused,) = (protocol for protocol in pair if protocol is not read[0])
    paused.transport.resume_reading()
    reactor.turn()
    assert paused.received == b"x"

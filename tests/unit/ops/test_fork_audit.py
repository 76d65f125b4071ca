from __future__ import annotations

import _thread
import socket
import threading
from pathlib import Path

from hybridd.ops import fork_audit


def test_nothing_is_said_of_an_application_that_leaves_nothing():
    assert fork_audit.warning([], []) == ""


def test_the_warning_names_what_there_is_and_says_what_to_do():
    text = fork_audit.warning(["refresher", "grpc_timer"], ["a connection to 10.0.0.5:5432"])
    assert "2 threads (refresher, grpc_timer) and 1 open socket (a connection to 10.0.0.5:5432)" in text
    assert "os.register_at_fork(after_in_child=...)" in text


def test_of_many_only_some_are_named():
    assert "t9 and 5 more)" in fork_audit.warning([f"t{number}" for number in range(15)], [])


def test_threads_are_found_also_those_that_the_threading_module_does_not_know():
    """Others of this process may be on their way out: a thread that was joined has ended for Python only."""
    stop, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("of-no-module")
        begun.release()
        stop.wait()
        done.release()

    done = threading.Semaphore(0)
    thread = threading.Thread(target=work, name="refresher")
    thread.start()
    _thread.start_new_thread(work, ())
    try:
        assert begun.acquire(timeout=5)
        assert begun.acquire(timeout=5)
        found = fork_audit.find_threads()
    finally:
        stop.set()
        thread.join()
        assert done.acquire(timeout=5)
        assert done.acquire(timeout=5)
    assert found.count("refresher") == 1
    assert found.count("of-no-module") == 1, "the other one is known by its name in Python"
    assert threading.main_thread().name not in found


def test_sockets_are_named_by_what_they_are_connected_to():
    before = fork_audit.open_sockets().values()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        port, back = listener.getsockname()[1], client.getsockname()[1]
        accepted, _ = listener.accept()
        one, other = socket.socketpair()
        with accepted, one, other, socket.socket() as fresh:
            found = sorted(fork_audit.name_sockets(before))
            assert fork_audit.describe(fresh.fileno()) == "an unconnected socket (AF_INET)"
    assert f"a listener on 127.0.0.1:{port}" in found
    assert f"a connection to 127.0.0.1:{port}" in found
    assert f"a connection to 127.0.0.1:{back}" in found
    assert found.count("a connection to a socket pair") == 2
    assert len(found) == 6

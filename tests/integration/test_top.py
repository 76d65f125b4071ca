"""`hybridd top` on a real pseudo-terminal, as somebody sits before it."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.support.command import hybridd
from tests.support.verbs import verb_json
from tests.support.waiting import wait_until

pytest.importorskip("rich", reason="the extra hybridd[top]")
pytest.importorskip("pyte", reason="a terminal to look at")

from tests.support.terminal import TerminalCommand

SERVICE = {"application": "service:app"}


@pytest.fixture
def server(serve):
    return serve(SERVICE)


@pytest.fixture
def borrowed(share):
    """One whose workers stay as they are."""
    return share(SERVICE)


def top(server, *arguments, **size):
    return TerminalCommand(["top", "--control", server.control, "-d", "0.2", *arguments], **size)


def hold(server, folder):
    client = server.client()
    client.send(f"GET /hold?file={folder}/go HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def test_who_sits_before_it_sees_workers_and_calls_scales_and_leaves(server, tmp_path):
    pids = server.ready_pids()
    client = hold(server, tmp_path)
    with top(server) as terminal:
        for slot, pid in enumerate(pids):
            terminal.wait_for(rf"^ +{slot} +{pid} +1 +ready ")
        terminal.wait_for(r"^ +\d +[\d.]+s +running +GET /hold  \(")
        terminal.wait_for(r"req/s \d")
        terminal.type(b"+")
        terminal.wait_for(r"^scale 3: 3 workers ready")
        assert len(server.ready_pids()) == 3
        terminal.wait_for(r"^ +2 +\d+ +1 +ready ")
        terminal.type(b"s")
        terminal.wait_for(r"^hybridd stacks 0")
        terminal.type(b"q-")
        terminal.wait_for(r"^Scale down to 2\? \(y/n\)")
        terminal.type(b"y")
        terminal.wait_for(r"^scale 2: 2 workers ready")
        terminal.resize(30, 5)
        terminal.signal(signal.SIGWINCH)
        terminal.wait_for("^window too small: 30x5")
        terminal.type(b"q")
        assert terminal.wait_ended() == 0
    (tmp_path / "go").touch()
    client.close()


def test_over_an_admin_address_nothing_can_be_changed(borrowed):
    with TerminalCommand(["top", "--admin", borrowed.admin, "-d", "0.2"]) as terminal:
        terminal.wait_for(r"^q quit .* read-only: unix:")
        terminal.type(b"+")
        terminal.wait_for(r"^read-only: scale 3 needs the control socket")
        terminal.type(b"\x03")
        assert terminal.wait_ended() == 128 + signal.SIGINT
    assert len(borrowed.ready_pids()) == 2


def test_a_server_that_stops_and_comes_again(server):
    with top(server, columns=200) as terminal:  # the socket's path and a sentence in one line
        terminal.wait_for("2 of 2 workers ready")
        server.stop()
        terminal.wait_for(r"^old figures, waiting: nobody listens on ")
        server.start().wait_ready()
        terminal.wait_for(r" answers again$")
        terminal.wait_for(rf"pid {server.pid} .*\n.*2 of 2 workers ready")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_ended() == 128 + signal.SIGTERM


def test_it_can_be_suspended(borrowed):
    with top(borrowed) as terminal:
        terminal.wait_for("2 of 2 workers ready")
        terminal.type(b"\x1a")
        stopped = os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert stopped is not None
        assert terminal.restored()
        terminal.signal(signal.SIGCONT)
        wait_until(lambda: not terminal.restored(), within=10, what="it shows itself again")
        terminal.type(b"\x1c")  # Ctrl-\\
        assert terminal.wait_ended() == 128 + signal.SIGQUIT


def test_without_a_terminal_it_prints_one_interval(borrowed, tmp_path):
    client = hold(borrowed, tmp_path)
    wait_until(lambda: any(one["calls"] for one in borrowed.workers()), within=5, what="the request runs")
    done = hybridd("top", "--control", borrowed.control, "-d", "0.2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "slot" in done.stdout
    assert "running    GET /hold  (" in done.stdout
    assert "\x1b" not in done.stdout
    answer = verb_json(borrowed, "top", "-d", "0.2")
    assert (answer["ok"], answer["pid"], answer["calls"][0]["path"]) == (True, borrowed.pid, "/hold")
    assert json.loads(hybridd("top", "--json", "-d", "0.2", "--admin", borrowed.admin).stdout)["ok"]
    elsewhere = hybridd("top", "--once", "--admin", borrowed.address)
    assert (elsewhere.returncode, elsewhere.stderr) == (
        1,
        f"hybridd: {borrowed.address} does not answer /status as hybridd does; is it the admin address?\n",
    )
    (tmp_path / "go").touch()
    client.close()


def test_nobody_to_ask_is_one_line_and_an_exit_code(tmp_path):
    with TerminalCommand(["top", "--control", f"{tmp_path}/none"]) as terminal:
        wait_until(lambda: terminal.process.poll() is not None, within=20, what="its end")
        assert (terminal.process.returncode, terminal.text.strip()[:32]) == (
            1,
            "hybridd: nobody listens on " + str(tmp_path)[:5],
        )

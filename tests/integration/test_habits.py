"""Small things that operators' hands and eyes expect: titles, a switched link as a deploy, no colours."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import OUTSIDE
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}


def title(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()


def wait_title(pid, pattern):
    wait_until(lambda: re.fullmatch(pattern, title(pid)), within=5, what=lambda: f"{pattern!r}, it is {title(pid)!r}")


def test_titles_say_state_and_load(serve, tmp_path):
    server = serve({**SERVICE, "shutdown": {"drain_delay": "1s", "idle_grace": "8s"}})
    (pid,) = server.ready_pids()
    wait_title(server.pid, r"hybridd: master \[service:app\] gen 1, running")
    with server.client() as idle, server.client() as busy:
        idle.get("/")
        busy.send(f"GET /hold?file={tmp_path}/gate HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        wait_title(pid, "hybridd: worker 0 gen 1, 2 connections, 1 calls?")
        server.signal(signal.SIGTERM)
        wait_title(server.pid, r"hybridd: master \[service:app\] gen 1, stopping.*")
        wait_title(pid, "hybridd: worker 0 gen 1 draining, 2 connections, 1 calls?")
        (tmp_path / "gate").touch()
        assert busy.read_answer().status == 200
    assert server.wait_ended() == 0


def test_a_switched_link_and_a_reload_deploy_a_release(serve, tmp_path):
    for release in ("one", "two-two"):  # of different size: bytecode is cached by size and second
        folder = tmp_path / release
        folder.mkdir()
        (folder / "shop.py").write_text(
            f"def app(environ, start_response):\n    start_response('200 OK', [])\n    return [{release!r}.encode()]\n"
        )
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "one")
    server = serve({"application": "shop:app", "chdir": str(current), "workers": 1})
    assert server.fetch("/").text == "one"
    before = server.ready_pids()
    fresh = tmp_path / "fresh"
    fresh.symlink_to(tmp_path / "two-two")
    fresh.replace(current)
    assert server.fetch("/").text == "one", "until the reload"
    server.signal(signal.SIGHUP)
    server.wait_workers(1, without=before)
    assert server.fetch("/").text == "two-two"


@pytest.mark.parametrize("no_color", [{}, {"NO_COLOR": "1"}], ids=["", "NO_COLOR"])
@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["run", "--wrokers"], ["check", "-w", "no"]])
def test_a_terminal_gets_no_colours(arguments, no_color):
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if not OUTSIDE.match(key) and key != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "hybridd", *arguments],
        env={**kept, **no_color, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # EIO: the other end is closed
        pass
    finally:
        os.close(ours)
        process.wait(10)
    assert said
    assert b"\x1b" not in said

"""sd_notify and socket passing over real descriptors, with this process as the service manager."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hybridd.ops.systemd import Notifier

TAKE = """
import fcntl, json, os, sys
from hybridd.ops.systemd import take_listen_fds
environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:admin", "HOME": "/"}
for index, fd in enumerate(map(int, sys.argv[1:])):
    os.dup2(fd, 3 + index)
found = take_listen_fds(environment, os.getpid())
flags = [fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fds in found.values() for fd in fds]
print(json.dumps([found, flags, environment]))
"""


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path):
    name = str(tmp_path / "notify") if request.param == "path" else f"\0hybridd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name)
        channel.setblocking(False)
        yield channel, name.replace("\0", "@")


def test_a_manager_hears_us(manager):
    channel, address = manager
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    notifier.reloading(12.5, "reloading")
    notifier.ready("2 workers serve")
    assert channel.recv(1000) == b"RELOADING=1\nMONOTONIC_USEC=12500000\nSTATUS=reloading\n"
    assert channel.recv(1000) == b"READY=1\nSTATUS=2 workers serve\n"


def test_a_manager_that_does_not_listen_makes_nobody_wait(manager, caplog, monkeypatch):
    _, address = manager
    notifier = Notifier(address)
    monkeypatch.setattr(logging.getLogger("hybridd"), "propagate", True)
    for _ in range(5000):  # far more than net.unix.max_dgram_qlen; a notifier that waits is caught by the watchdog
        notifier.watchdog()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_passed_sockets_are_taken_over():
    with socket.socket() as one, socket.socket() as two:
        fds = (one.fileno(), two.fileno())
        done = subprocess.run(
            [sys.executable, "-c", TAKE, *map(str, fds)], pass_fds=fds, stdout=subprocess.PIPE, check=True, text=True
        )
    found, close_on_exec, environment = json.loads(done.stdout)
    assert found == {"web": [3], "admin": [4]}
    assert close_on_exec == [1, 1]
    assert environment == {"HOME": "/"}

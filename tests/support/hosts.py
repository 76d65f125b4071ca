"""Several hosts behind a real HAProxy: network namespaces of the platform kit, one hybridd on each.

Knows:     the kit's ``hosts``, HAProxy's configuration of deploy/haproxy and its statistics socket.
Never:     this machine's own network.
Runs in:   the test process, as root; a missing kit or haproxy fails the tests that asked for it.
"""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.tools import ENVIRONMENT, platform_kit, require
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "haproxy" / "hosts.cfg"
BALANCER = "10.77.0.2:80"
CLIENT = "lan"  # where the clients are: beside the hosts, and no host


class Lan:
    """The hosts h1, h2, … and a balancer before them."""

    def __init__(self, folder: Path) -> None:
        kit = platform_kit()
        if kit is None or os.geteuid() != 0:
            pytest.fail("no hosts to test with: needs root and the platform kit (HYBRIDD_PLATFORM=FOLDER)")
        self._kit = str(kit / "hosts")
        self._folder = folder
        self._haproxy: subprocess.Popen[bytes] | None = None

    def up(self, count: int) -> None:
        """Make the hosts."""
        self._hosts("up", str(count))

    def down(self) -> None:
        """End the balancer and remove the hosts; who still runs there is ended before."""
        if self._haproxy is not None:
            self._haproxy.kill()
            self._haproxy.wait()
        self._hosts("down")

    def inside(self, host: str) -> list[str]:
        """Return what comes before a command that is to run on ``host``; it becomes that very process."""
        return [self._kit, "exec", host]

    def lose(self, host: str, percent: int) -> None:
        """Drop that share of the packets that arrive at ``host``."""
        self._hosts("loss", host, str(percent))

    def plug(self, host: str, *, connected: bool) -> None:
        """Pull the cable of ``host``, or plug it in again: the port of the switch, so that nobody is told."""
        command = [*self.inside("lan"), "ip", "link", "set", f"v-{host}", "up" if connected else "down"]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)

    def ask(self, path: str = "/") -> str:
        """Ask the balancer as a client; return the body."""
        command = [*self.inside(CLIENT), require("curl"), "-sS", "--max-time", "10", f"http://{BALANCER}{path}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    # -- the balancer

    def balance(self) -> None:
        """Start HAProxy with the configuration of deploy/haproxy."""
        configuration, log = self._folder / "haproxy.cfg", self._folder / "haproxy.log"
        statistics = f"global\n    stats socket {self._statistics} mode 600\n"
        configuration.write_text(CONFIGURATION.read_text().replace("global\n", statistics, 1))
        with log.open("wb") as output:
            self._haproxy = subprocess.Popen(
                [*self.inside("lb"), require("haproxy"), "-db", "-f", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(
            self._statistics.exists,
            within=10,
            what=lambda: f"HAProxy's statistics; it says:\n{log.read_text()}",
        )

    def servers(self) -> dict[str, dict[str, str]]:
        """Return HAProxy's figures of each host, by name; what they are: HAProxy's management guide, 9.1."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self._statistics))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["pxname"] == "hybridd" and row["svname"] != "BACKEND"}

    def wait_state(self, host: str, state: str, within: float = 20) -> float:
        """Wait until HAProxy sees ``host`` as UP or DOWN; return when that was, on the monotonic clock."""
        wait_until(
            lambda: self.servers()[host]["status"].split(" ")[0] == state,
            within=within,
            what=lambda: f"{host} is {state} for HAProxy; it is {self.servers()[host]['status']}",
        )
        return time.monotonic()

    @property
    def _statistics(self) -> Path:
        return self._folder / "haproxy.sock"

    def _hosts(self, *arguments: str) -> None:
        subprocess.run([self._kit, *arguments], check=True, capture_output=True, env=ENVIRONMENT)

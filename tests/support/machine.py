"""A machine with a real systemd, in which hybridd is installed like an operator would.

Knows:     the platform kit's systemd-host; or, on a throw-away machine whose owner says so with
           HYBRIDD_TEST_OWN_SYSTEMD=1, this machine itself.
Never:     installs anything on this machine otherwise.
Runs in:   the test process; a missing kit fails the tests that asked for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.load import Plan
from tests.support.tools import ENVIRONMENT, platform_kit
from tests.support.traffic import Load
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


LOAD = "/srv/load"


def build_wheel(folder: Path, source: Path = ROOT) -> Path:
    """Build the wheel of this checkout, or of another source, into ``folder``."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)],
        check=True,
    )
    (wheel,) = folder.glob("hybridd-*.whl")
    return wheel


class Machine:
    """Where systemd runs; ``run`` executes there, ``copy`` puts a file or a folder there."""

    def __init__(self, name: str, suite: str) -> None:
        self.suite = suite
        kit = platform_kit()
        if kit is not None and os.geteuid() == 0:
            self._host: list[str] = [str(kit / "systemd-host"), "--name", name, "--suite", suite]
        elif ENVIRONMENT.get("HYBRIDD_TEST_OWN_SYSTEMD") == "1" and Path("/run/systemd/system").is_dir():
            self._host = []
        else:
            pytest.fail(
                "no systemd to test with: needs root and the platform kit (HYBRIDD_PLATFORM=FOLDER), or"
                " HYBRIDD_TEST_OWN_SYSTEMD=1 on a throw-away machine"
            )

    @property
    def _inside(self) -> list[str]:
        return [*self._host, "exec"] if self._host else []

    def up(self) -> None:
        """Start the machine."""
        if self._host:
            subprocess.run([*self._host, "up"], check=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def down(self) -> None:
        """Stop and remove it."""
        if self._host:
            subprocess.run([*self._host, "down"], check=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        else:
            self.run(
                "systemctl stop hybridd.socket hybridd.service 'hybridd@*.service'; rm -rf /opt/hybridd", check=False
            )

    def run(
        self, script: str, *, check: bool = True, outside_network: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script there; ``outside_network`` gives it this machine's network (pip)."""
        where = [*self._inside, *(["--host-net"] if outside_network and self._host else [])]
        done = subprocess.run(
            [*where, "sh", "-c", script],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"status {done.returncode}: {script}\n{done.stdout}{done.stderr}\n{self.journal()}")
        return done

    def begin(self, script: str) -> subprocess.Popen[str]:
        """Start a shell script there; ``communicate`` waits for it and returns what it prints."""
        return subprocess.Popen(
            [*self._inside, "sh", "-c", script],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def output(self, script: str) -> str:
        """Return what a script prints."""
        return self.run(script).stdout.strip()

    def journal(self, unit: str = "hybridd") -> str:
        """Return what the service said lately."""
        command = [*self._inside, "journalctl", "--no-pager", "-n", "40", "-o", "cat", "-u", unit]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=ENVIRONMENT
        ).stdout

    def copy(self, source: Path, destination: str) -> None:
        """Put a file or a folder there."""
        if self._host:
            self.run(f"mkdir -p {Path(destination).parent}")
            subprocess.run(
                [*self._host, "copy", str(source), destination], check=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT
            )
        elif source.is_dir():
            shutil.copytree(source, destination, dirs_exist_ok=True)
        else:
            Path(destination).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, destination)

    def install(self, wheel: Path) -> None:
        """Install hybridd, its units and its configuration where the units expect them."""
        self.copy(wheel, f"/root/{wheel.name}")
        self.run(
            f"python3 -m venv /opt/hybridd && /opt/hybridd/bin/pip install --quiet /root/{wheel.name}",
            outside_network=True,
        )
        for unit in sorted((ROOT / "systemd").iterdir()):
            self.copy(unit, f"/etc/systemd/system/{unit.name}")
        self.copy(ROOT / "config" / "hybridd.yaml", "/etc/hybridd/hybridd.yaml")
        self.copy(ROOT / "tests" / "apps", "/srv/apps")
        self.run("systemctl daemon-reload")

    def load(self, plan: Plan) -> Load:
        """Return clients on the machine itself, to be used like those of traffic.py."""
        for name in ("load", "client", "waiting"):
            self.copy(ROOT / "tests" / "support" / f"{name}.py", f"{LOAD}/tests/support/{name}.py")
        return Load(plan, (*self._inside, "env", f"PYTHONPATH={LOAD}", "python3"))

    def reboot(self) -> None:
        """Restart the machine; only the kit's."""
        if not self._host:
            pytest.fail("this machine is not rebooted: tests of a reboot need the platform kit (HYBRIDD_PLATFORM)")
        subprocess.run([*self._host, "reboot"], check=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def show(self, unit: str, name: str) -> str:
        """Return one property of a unit."""
        return self.output(f"systemctl show -P {name} {unit}")

    def wait(self, condition: Callable[[], object], what: str, within: float = 20) -> None:
        """Wait until something is so there."""
        wait_until(condition, within=within, what=lambda: f"{what}; journal:\n{self.journal()}")

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

from tests.support.tools import ENVIRONMENT, platform_kit
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into ``folder``."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    (wheel,) = folder.glob("hybridd-*.whl")
    return wheel


class Machine:
    """Where systemd runs; ``run`` executes there, ``copy`` puts a file or a folder there."""

    def __init__(self, name: str, suite: str) -> None:
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
        where = [*self._host, "exec", *(["--host-net"] if outside_network else [])] if self._host else []
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

    def output(self, script: str) -> str:
        """Return what a script prints."""
        return self.run(script).stdout.strip()

    def journal(self, unit: str = "hybridd") -> str:
        """Return what the service said."""
        where = [*self._host, "exec"] if self._host else []
        command = [*where, "journalctl", "--no-pager", "-o", "cat", "-u", unit]
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

    def show(self, unit: str, name: str) -> str:
        """Return one property of a unit."""
        return self.output(f"systemctl show -P {name} {unit}")

    def wait(self, condition: Callable[[], object], what: str, within: float = 20) -> None:
        """Wait until something is so there."""
        wait_until(condition, within=within, what=lambda: f"{what}; journal:\n{self.journal()}")

"""A container engine: this machine's own docker, else the platform kit's private one.

Knows:     how to build the image of this checkout and run it hardened.
Never:     pulls with the kit (no registry is reachable there).
Runs in:   the test process; no engine at all fails the tests that asked for one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import ENVIRONMENT, platform_kit

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "hybridd:test"
HARDENED = (
    "--read-only", "--cap-drop=all", "--user=12345", "--security-opt=no-new-privileges", "--network=host",
    "--pids-limit=200", "--memory=300m",
)  # fmt: skip


class Engine:
    """docker, wherever it is."""

    def __init__(self) -> None:
        self._kit: Path | None = None
        own = shutil.which("docker")
        if own and subprocess.run([own, "info"], capture_output=True, check=False).stdout.count(b"Server Version"):
            self._prefix: list[str] = []
            return
        self._kit = platform_kit()
        if self._kit is None or os.geteuid() != 0:
            pytest.fail(
                "no container engine to test with: needs docker, or root and the platform kit (HYBRIDD_PLATFORM)"
            )
        self._prefix = [str(self._kit / "docker-host"), "exec"]

    def up(self) -> None:
        """Start it and build the image."""
        if self._kit is None:
            self._call(["docker", "build", "-t", IMAGE, str(ROOT)])
        else:
            self._call([str(self._kit / "image-build"), "-t", IMAGE, str(ROOT)])
            self._call([str(self._kit / "docker-host"), "up"])

    @property
    def private(self) -> bool:
        """Tell whether it is the kit's, which reaches no registry and whose images are nobody else's."""
        return self._kit is not None

    def isolate(self) -> None:
        """Give it networks with names and published ports, as any engine has; the kit's then reaches no internet."""
        if self._kit is not None:
            self._call([str(self._kit / "docker-host"), "--isolated", "up"])

    def down(self) -> None:
        """Stop it, when it is the kit's."""
        if self._kit is not None:
            self._call([str(self._kit / "docker-host"), "down"])

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Run a docker command; return what it prints (errors too)."""
        return self.run("docker", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> str:
        """Run any command where the engine's published ports are; return what it prints (errors too)."""
        done = subprocess.run(
            [*self._prefix, *command],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
        return done.stdout.strip()

    @staticmethod
    def _call(command: list[str]) -> None:
        done = subprocess.run(
            command,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=400,
        )
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-5000:]}")

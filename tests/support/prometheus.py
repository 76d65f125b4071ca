"""A real Prometheus for a test: with a configuration of the test's, on a port of its own, asked by its HTTP API.

Knows:     the program, its API.
Never:     skips: who asks for these tests has promised the program (Debian package prometheus).
Runs in:   the test process.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.support.ports import free_port
from tests.support.waiting import wait_until


def need(name: str, package: str = "prometheus") -> str:
    """Return the path of a program; the test fails when it is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing (Debian package {package})")
    return path


class Prometheus:
    """Scrapes once per second: ``jobs`` are job → (target, path)."""

    def __init__(self, folder: Path, jobs: Mapping[str, tuple[str, str]], rules: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._address = f"127.0.0.1:{free_port()}"
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rule) for rule in rules],
            "scrape_configs": [
                {"job_name": job, "metrics_path": path, "static_configs": [{"targets": [target]}]}
                for job, (target, path) in jobs.items()
            ],
        }
        self._configuration = folder / "prometheus.yml"
        self._configuration.write_text(yaml.safe_dump(configuration))
        self._log = folder / "prometheus.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    need("prometheus"),
                    f"--config.file={self._configuration}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address={self._address}",
                    "--log.level=warn",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def log(self) -> str:
        """Return what it has to complain about."""
        return self._log.read_text()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; AssertionError when it is refused."""
        data = urllib.parse.urlencode({"query": expression}).encode()
        try:
            with urllib.request.urlopen(f"http://{self._address}/api/v1/query", data, timeout=10) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from None
        assert found["status"] == "success", found
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    def wait_scrapes(self, count: int, jobs: int, within: float = 30) -> None:
        """Wait until all jobs have answered so often."""

        def scraped() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            try:
                found = self.query("count_over_time(up[5m])")
            except OSError:
                return False  # it does not listen yet
            return len(found) == jobs and all(int(one["value"][1]) >= count for one in found)

        wait_until(scraped, within=within, what=lambda: f"{count} scrapes; its log:\n{self.log()}")

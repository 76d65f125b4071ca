"""docs/deploy/prometheus.md leads from nothing to a Prometheus that knows hybridd: its own text is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.support import processes
from tests.support.command import environment_of_tests
from tests.support.ports import free_port
from tests.support.prometheus import need
from tests.support.server import AS_ROOT, ROOT
from tests.support.waiting import patient

PAGE = ROOT / "docs" / "deploy" / "prometheus.md"


def test_the_page_does_what_it_says(tmp_path):
    for program in ("prometheus", "promtool"):
        need(program)
    text = PAGE.read_text()
    ports = {number: str(free_port()) for number in ("8080", "9815", "9090")}
    folders = {"/etc/prometheus": f"{tmp_path}/etc", "/var/lib/prometheus": f"{tmp_path}/var"}
    (tmp_path / "deploy" / "prometheus").mkdir(parents=True)
    for file in (ROOT / "deploy" / "prometheus").iterdir():
        (tmp_path / "deploy" / "prometheus" / file.name).write_text(file.read_text())
    example = tmp_path / "deploy" / "prometheus" / "prometheus.yml"
    example.write_text(replaced(example.read_text(), ports | folders))
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "hybridd"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m hybridd "$@"\n')
    command.chmod(0o755)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 7
    script = "set -eu -o pipefail\n" + "\n".join(replaced(block, ports | folders) for block in blocks)
    if not AS_ROOT:
        script = script.replace(" --user root", "")
    environment = environment_of_tests() | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    with (tmp_path / "output").open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        status = shell.wait(patient(90))
    finally:
        processes.kill_session(shell.pid)
        shell.wait(patient(5))
    assert status == 0, (tmp_path / "output").read_text()[-5000:]


def replaced(text: str, by: dict[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text

"""docs/deploy/docker.md, executed from its own text: the Dockerfile of an application, its commands, compose."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from tests.support.client import fetch
from tests.support.containers import IMAGE, Engine
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.container, pytest.mark.watchdog(600)]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy" / "docker.md").read_text()
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .+\n)+", PAGE, re.MULTILINE)]
PORT, ADMIN = 18292, 18293
# The kit's engine has this machine's network and no other: ports are said to hybridd there, and -p means nothing.
HERE = ("--network=host", "-e", f"HYBRIDD_LISTEN=127.0.0.1:{PORT}", "-e", f"HYBRIDD_ADMIN=127.0.0.1:{ADMIN}")
SHOP = """
import itsdangerous

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [itsdangerous.Signer("x").sign(b"shop")]
"""


def block(beginning: str) -> str:
    """Return the block of the page that begins so."""
    (found,) = [one for one in BLOCKS if one.startswith(beginning)]
    return found


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    try:
        engine.up()
        engine.docker("tag", IMAGE, "hybridd")
        yield engine
        engine.docker("rm", "-f", "shop", check=False)
    finally:
        engine.down()


def test_the_dockerfile_of_an_application_has_four_lines_and_works(engine, tmp_path):
    dockerfile = block("FROM hybridd")
    assert len(dockerfile.splitlines()) == 4
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wsgi.py").write_text(SHOP)
    (tmp_path / "requirements.txt").write_text("itsdangerous\n")
    (tmp_path / "Dockerfile").write_text(dockerfile)
    build, run, health, stop = block("docker build -t shop").splitlines()
    engine.docker(*build.replace("-t shop .", f"--network=host -t shop {tmp_path}").split()[1:])
    engine.docker(*run.replace("docker run", " ".join(("docker run", *HERE))).split()[1:])

    def healthy() -> bool:
        return "ready" in engine.docker(*health.split()[1:], check=False)

    wait_until(healthy, within=30, what=lambda: engine.docker("logs", "shop"))
    assert fetch(f"127.0.0.1:{PORT}").body.startswith(b"shop.")
    assert fetch(f"127.0.0.1:{ADMIN}", "/healthz").status == 200
    engine.docker(*stop.split()[1:])
    assert json.loads(engine.docker("inspect", "-f", "{{json .State}}", "shop"))["ExitCode"] == 0


def test_the_page_says_how_large_it_is(engine):
    sizes = [int(size) for size in engine.docker("history", "--human=false", "--format={{.Size}}", IMAGE).splitlines()]
    mine = engine.docker("history", "--human=false", "--format={{.CreatedBy}}", IMAGE).splitlines()
    first = next(number for number, command in enumerate(mine) if "LABEL org.opencontainers" in command)
    megabytes = sum(sizes[:first]) / 1e6
    said = int(re.search(r"its layers add (\d+) MB", PAGE)[1])
    assert said * 0.8 < megabytes <= said * 1.1, megabytes


def test_compose_is_what_the_engine_reads(engine):
    file = ROOT / "deploy" / "docker" / "compose.yaml"
    found = json.loads(engine.docker("compose", "-f", str(file), "config", "--format", "json"))
    hybridd, prometheus = found["services"]["hybridd"], found["services"]["prometheus"]
    assert (hybridd["read_only"], hybridd["cap_drop"], hybridd["stop_grace_period"]) == (True, ["ALL"], "30s")
    assert prometheus["depends_on"]["hybridd"]["condition"] == "service_healthy"
    for volume in prometheus["volumes"]:
        assert volume["type"] == "volume" or Path(volume["source"]).is_file()

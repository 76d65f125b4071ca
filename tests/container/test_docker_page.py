"""docs/deploy/docker.md, executed from its own text: every block of commands, the Dockerfile of an application."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.blocks import commands
from tests.support.containers import IMAGE, Engine

pytestmark = [pytest.mark.container, pytest.mark.watchdog(600)]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy" / "docker.md").read_text()
FIRST = re.search(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
BUILD = "docker build "
SHOP = """
import itsdangerous

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [itsdangerous.Signer("x").sign(b"shop")]
"""
PLAIN = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"shop."]
"""
NAMES = ("welcome", "shop", "trial", "secure")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An application, and beside it the page's Dockerfile."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop").mkdir()
    (folder / "shop" / "wsgi.py").write_text(SHOP)
    (folder / "shop" / "plain.py").write_text(PLAIN)
    (folder / "requirements.txt").write_text("itsdangerous\n")
    (folder / "Dockerfile").write_text(re.search(r"^```dockerfile\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1])
    for path in (folder, *folder.parents[:1]):  # whoever runs in a container may look at it
        path.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def engine(folder):
    """Build what the page builds with this machine's network; what runs then has networks and ports of its own."""
    engine = Engine()
    try:
        engine.up()
        engine.docker("tag", IMAGE, "hybridd")
        engine.docker("build", "--network=host", "-t", "shop", str(folder))
        engine.isolate()
        yield engine
        engine.docker("rm", "-f", *NAMES, check=False)
    finally:
        engine.down()


def follow(engine, block, where):
    """Run a block of the page; its builds are made."""
    lines = [line for line in block.splitlines() if not line.startswith(BUILD)]
    return engine.run("bash", "-euo", "pipefail", "-c", "\n".join([f"cd {where}", *lines]))


def test_what_is_built_is_what_the_page_builds():
    builds = re.findall(rf"^{BUILD}.*$", PAGE, re.MULTILINE)
    assert builds == ["docker build -t hybridd .", "docker build -t shop ."]


def test_the_image_serves_as_it_is(engine):
    assert "hybridd is running" in follow(engine, FIRST, ROOT)


def test_the_dockerfile_of_an_application_has_four_lines_and_works(engine, folder):
    assert len((folder / "Dockerfile").read_text().splitlines()) == 4
    built, mounted = commands(PAGE)["Your application"]
    said = follow(engine, built, folder)
    assert "shop." in said
    assert json.loads(engine.docker("inspect", "-f", "{{json .State}}", "shop"))["ExitCode"] == 0
    assert "shop." in follow(engine, mounted, folder)


def test_the_configuration_is_shown_and_checked(engine, folder):
    shown, mounted = commands(PAGE)["Configuration"]
    assert re.search(r"20s.*HYBRIDD_TIMEOUTS__GRACEFUL", follow(engine, shown, folder))
    assert "hybridd.yaml" in follow(engine, mounted, folder)


def test_tls_as_the_page_has_it(engine, folder):
    [block] = commands(PAGE)["TLS"]
    assert "shop." in follow(engine, block, folder)


def test_every_other_block_is_run_by_another_test():
    assert [title for title, blocks in commands(PAGE).items() if blocks] == [
        "Your application",
        "Configuration",
        "TLS",
        "With Prometheus beside it",  # test_compose.py
    ]


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

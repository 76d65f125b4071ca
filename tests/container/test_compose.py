"""deploy/docker/compose.yaml, started by the commands of docs/deploy/docker.md: hybridd with a real Prometheus."""

from __future__ import annotations

import json
import shutil
import time
import urllib.parse
from pathlib import Path

import pytest

from hybridd import __version__
from tests.support.blocks import commands
from tests.support.containers import IMAGE, Engine
from tests.support.prometheus import need
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.container, pytest.mark.watchdog(600)]

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "docker" / "compose.yaml"
PAGE = (ROOT / "docs" / "deploy" / "docker.md").read_text()
# What the kit's engine has in place of the image that it cannot pull: this machine's program, laid out as that image is
# (its Dockerfile: nobody's, /prometheus a volume, the program as the entry point).
PROMETHEUS = """
FROM python:3.13-slim
COPY prometheus /bin/prometheus
RUN mkdir /prometheus && chown nobody:nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME ["/prometheus"]
ENTRYPOINT ["/bin/prometheus"]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = Engine()
    try:
        engine.up()
        engine.docker("tag", IMAGE, "shop")
        if engine.private:
            folder = tmp_path_factory.mktemp("prometheus")
            shutil.copy(need("prometheus"), folder / "prometheus")
            (folder / "Dockerfile").write_text(PROMETHEUS)
            engine.docker("build", "--network=host", "-t", "prom/prometheus", str(folder))
        engine.isolate()
        yield engine
        engine.docker("compose", "-f", str(COMPOSE), "down", "--volumes", check=False)
    finally:
        engine.down()


def ask(engine, path, **parameters):
    """Return what Prometheus' HTTP API answers."""
    query = urllib.parse.urlencode(parameters)
    answer = json.loads(engine.run("curl", "-sS", f"http://127.0.0.1:9090/api/v1/{path}?{query}"))
    assert answer["status"] == "success", answer
    return answer["data"]


def test_the_page_starts_both_asks_and_stops_them(engine):
    [block] = commands(PAGE)["With Prometheus beside it"]
    change, start, question, stop = block.splitlines()
    since = int(time.time())
    try:
        engine.run("sh", "-euc", f"cd {ROOT}\n{change}\n{start}")
        assert "hybridd is running" in engine.run("curl", "-sS", "http://127.0.0.1:8080/")
        wait_until(
            lambda: [one["value"][1] for one in ask(engine, "query", query="up")["result"]] == ["1"],
            within=40,
            what=lambda: str(ask(engine, "targets")),
        )
    except AssertionError as error:
        project = f"docker compose -f {COMPOSE}"
        raise AssertionError(f"{error}\n{engine.run('sh', '-c', f'{project} ps -a; {project} logs')}") from None
    assert '"value":[' in engine.run("sh", "-euc", question)
    verb = ("exec", "-T", "hybridd", "hybridd", "status")
    assert "ready" in engine.docker("compose", "-f", str(COMPOSE), *verb)
    (target,) = ask(engine, "targets")["activeTargets"]
    assert (target["scrapeUrl"], target["health"], target["lastError"]) == ("http://hybridd:9815/metrics", "up", "")
    (build,) = ask(engine, "query", query="hybridd_build_info")["result"]
    assert (build["metric"]["instance"], build["metric"]["version"]) == ("hybridd:9815", __version__)
    groups = ask(engine, "rules")["groups"]
    assert {Path(group["file"]).name for group in groups} == {"alerts.yml", "recording.yml"}
    engine.run("sh", "-euc", f"cd {ROOT}\n{change}\n{stop}")
    assert ends(engine, since) == {"hybridd": "0", "prometheus": "0"}


def ends(engine, since):
    """Return the exit code of each service, from the engine's events: `compose down` leaves no container to ask."""
    window = ("--since", str(since), "--until", str(int(time.time()) + 1))
    lines = engine.docker("events", *window, "--filter", "event=die", "--format", "{{json .Actor.Attributes}}")
    found = [json.loads(line) for line in lines.splitlines()]
    return {one["com.docker.compose.service"]: one["exitCode"] for one in found}

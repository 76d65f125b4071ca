"""The image: PID 1, not root, a read-only root, health, signals, foreign children."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress

import pytest

from tests.support.certificates import Authority
from tests.support.client import Client, ConnectionEnded, fetch
from tests.support.containers import HARDENED, IMAGE, Engine
from tests.support.tls_client import TlsClient
from tests.support.tools import ROOT_OF_TESTS
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.container, pytest.mark.watchdog(600)]

PORT, ADMIN = 18290, 18291  # on this machine's network: the kit's engine has no other
ADDRESS = f"127.0.0.1:{PORT}"
HERE = ("-e", f"HYBRIDD_LISTEN=0.0.0.0:{PORT}", "-e", f"HYBRIDD_ADMIN=0.0.0.0:{ADMIN}")


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    try:
        engine.up()
        yield engine
    finally:
        engine.down()


@pytest.fixture
def run(engine):
    """Start a container; the fixture removes it."""
    started = []

    def start(*options, command=(), where=HERE):
        identity = engine.docker("run", "-d", *HARDENED, *where, *options, IMAGE, *command).splitlines()[-1]
        started.append(identity)
        return identity

    yield start
    for identity in started:
        engine.docker("rm", "-f", identity, check=False)


def service(*options):
    return (
        "-v",
        f"{ROOT_OF_TESTS}/apps:/srv:ro",
        "-e",
        "HYBRIDD_APPLICATION=service:app",
        "-e",
        "HYBRIDD_WORKERS=2",
        *options,
    )


def wait_health(engine, identity, status, within=40):
    wait_until(
        lambda: engine.docker("inspect", "-f", "{{.State.Health.Status}}", identity) == status,
        within=within,
        what=lambda: f"{status}; {engine.docker('logs', identity)}",
    )


def wait_healthy(engine, identity):
    wait_health(engine, identity, "healthy")


def state(engine, identity):
    return json.loads(engine.docker("inspect", "-f", "{{json .State}}", identity))


def test_it_becomes_healthy_serves_and_stops_with_status_0(engine, run):
    identity = run("--health-interval=1s")
    wait_healthy(engine, identity)
    assert fetch(ADDRESS).status == 200
    assert fetch(f"127.0.0.1:{ADMIN}", "/metrics").status == 200
    started = time.monotonic()
    engine.docker("stop", "-t", "20", identity)
    assert time.monotonic() - started < 10
    assert state(engine, identity)["ExitCode"] == 0


def test_the_master_is_pid_1_and_not_root(engine, run):
    identity = run(*service("--health-interval=1s"))
    wait_healthy(engine, identity)
    status = engine.docker("exec", identity, "python", "-c", "print(open('/proc/1/status').read())")
    assert "Uid:\t12345\t12345\t12345\t12345" in status, "any user will do"
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "hybridd" in engine.docker("exec", identity, "python", "-c", "print(open('/proc/1/cmdline').read())")


def test_foreign_children_are_reaped(engine, run):
    """What `docker exec` or an application leaves behind becomes a child of PID 1."""
    identity = run(*service("--health-interval=1s"))
    wait_healthy(engine, identity)
    orphan = "import os; pid = os.fork(); print(pid, flush=True) if pid else os.execlp('sleep', 'sleep', '0.3')"
    pid = engine.docker("exec", identity, "python", "-c", orphan)
    look = f"import os; print(os.path.exists('/proc/{int(pid)}'))"
    wait_until(
        lambda: engine.docker("exec", identity, "python", "-c", look) == "False", within=10, what="the orphan is reaped"
    )
    assert fetch(ADDRESS).body == b"hello\n"
    assert "unexpected" not in engine.docker("logs", identity).lower()


def test_hup_reloads_and_a_killed_worker_is_replaced(engine, run):
    identity = run(*service("--health-interval=1s", "-e", "HYBRIDD_RELOAD__SETTLE=200ms"))
    wait_healthy(engine, identity)
    before = workers_ready()
    engine.docker("kill", "-s", "HUP", identity)
    wait_until(lambda: len(workers_ready()) == 2 and not workers_ready() & before, within=20, what="two new workers")
    victim = workers_ready().pop()
    engine.docker("exec", identity, "python", "-c", f"import os; os.kill({victim}, 9)")
    wait_until(lambda: len(workers_ready()) == 2 and victim not in workers_ready(), within=10, what="it is replaced")
    assert fetch(ADDRESS).body == b"hello\n"


def test_large_bodies_need_no_writable_path(engine, run):
    identity = run(*service("--health-interval=1s"))
    wait_healthy(engine, identity)
    body = b"x" * 4_000_000
    assert fetch(ADDRESS, "/echo", "POST", body=body).body == body


def test_a_stop_answers_what_is_in_flight_and_exits_with_0(engine, run):
    identity = run(*service("--health-interval=1s"))
    wait_healthy(engine, identity)
    with Client(ADDRESS, 20) as client:
        client.send(b"GET /sleep/3 HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(calls, within=5, what="the request runs")
        engine.docker("stop", "-t", "20", identity)
        answer = client.read_answer()
    assert (answer.status, answer.body) == (200, b"slept\n")
    assert state(engine, identity)["ExitCode"] == 0


def workers_ready():
    status = json.loads(fetch(f"127.0.0.1:{ADMIN}", "/status").body)
    return {worker["pid"] for worker in status["workers"] if worker["state"] == "ready"}


def calls():
    workers = json.loads(fetch(f"127.0.0.1:{ADMIN}", "/status").body)["workers"]
    return [call for worker in workers for call in worker["calls"]]


def test_health_turns_unhealthy_and_back(engine, run):
    identity = run(*service("--health-interval=1s", "--health-retries=1", "-e", "HYBRIDD_TIMEOUTS__WORKER=60s"))
    wait_healthy(engine, identity)
    pid = state(engine, identity)["Pid"]  # on this machine: the kernel lets nobody inside stop process 1
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_health(engine, identity, "unhealthy")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_healthy(engine, identity)


def test_a_worker_that_takes_all_memory_is_named_so_and_replaced(engine, run):
    identity = run(
        "-v", f"{ROOT_OF_TESTS}/apps:/srv:ro", "-e", "HYBRIDD_APPLICATION=greedy:app", "-e", "HYBRIDD_WORKERS=1",
        "--health-interval=1s", "--memory-swap=300m",
    )  # fmt: skip
    wait_healthy(engine, identity)
    with Client(ADDRESS, 20) as client, suppress(ConnectionEnded, ConnectionError):
        client.get("/all")
    wait_until(lambda: '"cause":"oom"' in logs(engine, identity), within=20, what=lambda: logs(engine, identity))
    wait_until(lambda: fetch(ADDRESS).body == b"ok\n", within=15, what="it is replaced")
    assert state(engine, identity)["Running"]


def logs(engine, identity):
    return engine.docker("logs", identity)


def test_logs_are_json(engine, run):
    identity = run("--health-interval=1s")
    wait_healthy(engine, identity)
    fetch(ADDRESS, "/?asked")
    wait_until(lambda: "/?asked" in logs(engine, identity), within=5, what="the access log")
    records = [json.loads(line) for line in logs(engine, identity).splitlines()]
    assert {"level", "message"} <= records[0].keys()
    assert [record["status"] for record in records if record.get("target") == "/?asked"] == [200]


def test_root_in_the_container_is_refused_too(engine, run):
    identity = run("--user=0")
    wait_until(lambda: not state(engine, identity)["Running"], within=15, what="it ends")
    assert state(engine, identity)["ExitCode"] == 78
    assert "started as root" in logs(engine, identity)


def test_the_image_names_its_user_and_its_stop_signal(engine):
    found = json.loads(engine.docker("image", "inspect", IMAGE))[0]["Config"]
    assert (found["User"], found["StopSignal"]) == ("10001:10001", "SIGTERM")
    assert found["Healthcheck"]["Test"][:3] == ["CMD", "hybridd", "health"]


def test_nothing_is_written(engine, run):
    identity = run(*service("--health-interval=1s"))
    wait_healthy(engine, identity)
    fetch(ADDRESS)
    assert engine.docker("diff", identity) == ""


def test_the_quota_decides_how_many_workers_there_are(engine, run):
    identity = run("--cpus=1", "--health-interval=1s")
    wait_healthy(engine, identity)
    status = json.loads(fetch(f"127.0.0.1:{ADMIN}", "/status").body)
    assert len(status["workers"]) == 1


def test_a_wrong_configuration_is_told_and_exits_78(engine, run):
    identity = run("-e", "HYBRIDD_TIMEOUTS__HEAD=soon")
    wait_until(lambda: not state(engine, identity)["Running"], within=15, what="it ends")
    assert state(engine, identity)["ExitCode"] == 78
    assert "HYBRIDD_TIMEOUTS__HEAD" in engine.docker("logs", identity)


def test_a_mounted_file_configures_it_and_is_read_again(engine, run, tmp_path):
    file = tmp_path / "hybridd.yaml"
    text = f"{{listen: '{ADDRESS}', admin: '127.0.0.1:{ADMIN}', application: service:app, reload: {{settle: 200ms}}, "
    file.write_text(text + "workers: 2}\n")
    apps = ("-v", f"{ROOT_OF_TESTS}/apps:/srv:ro")
    identity = run("-v", f"{file}:/etc/hybridd/hybridd.yaml:ro", *apps, "--health-interval=1s", where=())
    wait_healthy(engine, identity)
    assert fetch(ADDRESS).body == b"hello\n"
    assert len(workers_ready()) == 2
    file.write_text(text + "workers: 1}\n")
    engine.docker("kill", "-s", "HUP", identity)
    wait_until(lambda: len(workers_ready()) == 1, within=20, what=lambda: logs(engine, identity))
    assert fetch(ADDRESS).body == b"hello\n"
    file.write_text(text + "wrokers: 1}\n")
    check = ("-v", f"{file}:/x.yaml:ro", IMAGE, "check", "-c", "/x.yaml")
    said = engine.docker("run", "--rm", *HARDENED, *check, check=False)
    assert "/x.yaml:1" in said
    assert "did you mean workers" in said


def test_preload_tls_the_verbs_and_the_applications_own_metrics(engine, run, tmp_path):
    folder = tmp_path / "tls"
    authority = Authority(folder)
    authority.sign("localhost").key.chmod(0o644)  # whoever runs there
    folder.chmod(0o755)
    listen = f"HYBRIDD_LISTEN={ADDRESS} tls certificate=/tls/localhost.pem key=/tls/localhost.key"
    identity = run(
        *("-v", f"{ROOT_OF_TESTS}/apps:/srv:ro", "-v", f"{folder}:/tls:ro", "--health-interval=1s"),
        *("-e", "HYBRIDD_APPLICATION=counting:app", "-e", "HYBRIDD_PRELOAD=true", "-e", "HYBRIDD_WORKERS=2"),
        *("-e", "HYBRIDD_CONTROL=/dev/shm/hybridd.ctl", "-e", "HYBRIDD_RELOAD__SETTLE=200ms"),
        where=("-e", listen, "-e", f"HYBRIDD_ADMIN=0.0.0.0:{ADMIN}"),
    )
    wait_healthy(engine, identity)
    context = authority.client_context()

    def count():
        with TlsClient(ADDRESS, context) as client:
            assert client.get("/inc?n=2").status == 200

    count()
    victims = workers_ready()
    engine.docker("exec", identity, "python", "-c", f"import os\nfor pid in {victims}: os.kill(pid, 9)")
    wait_until(lambda: len(workers_ready() - victims) == 2, within=15, what=lambda: logs(engine, identity))
    count()
    assert "reloaded" in engine.docker("exec", identity, "hybridd", "reload")
    count()
    assert 'shop_jobs_total{kind="mail"} 6.0' in fetch(f"127.0.0.1:{ADMIN}", "/metrics").text
    assert "fork server" in logs(engine, identity)


def test_other_commands_run_too(engine):
    assert "timeouts" in engine.docker("run", "--rm", *HARDENED, IMAGE, "print-config")


def test_it_is_labelled(engine):
    labels = json.loads(engine.docker("inspect", "-f", "{{json .Config.Labels}}", IMAGE))
    for name in ("title", "description", "version", "licenses"):
        assert labels[f"org.opencontainers.image.{name}"]

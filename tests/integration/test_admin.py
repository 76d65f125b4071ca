"""The admin endpoint: read-only, answers from the master whatever the workers do."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.client import Client, exchange
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


def test_health_and_readiness(share):
    server = share(SERVICE)
    assert server.ask_admin("/healthz").status == 200
    assert server.ask_admin("/readyz").status == 200


def test_not_ready_says_why(serve):
    server = serve({**SERVICE, "workers": 1, "shutdown": {"drain_delay": "60s"}})
    server.signal(signal.SIGTERM)
    server.notify.wait_for("STOPPING", within=5)
    answer = server.ask_admin("/readyz")
    assert answer.status == 503
    assert answer.text.strip()
    assert server.ask_admin("/healthz").status == 200
    server.signal(signal.SIGQUIT)
    assert server.wait_ended() == 0


def test_status_tells_what_an_operator_wants_to_know(share):
    server = share(SERVICE)
    server.fetch("/")
    status = server.status()
    assert status["pid"] == server.pid
    assert [listener["address"] for listener in status["listeners"]] == [server.address]
    assert len(status["workers"]) == 2
    for worker in status["workers"]:
        assert processes.alive(worker["pid"])
        assert worker["state"] == "ready"
    assert len({worker["pid"] for worker in status["workers"]}) == 2


def test_unknown_paths_and_changing_methods_are_refused(share):
    server = share(SERVICE)
    assert server.ask_admin("/nowhere").status == 404
    for method in ("POST", "PUT", "DELETE"):
        assert server.ask_admin("/metrics", method).status == 405
    assert server.ask_admin("/healthz", "HEAD").status == 200
    assert server.ask_admin("/healthz").status == 200


def test_the_public_listeners_do_not_serve_it(share):
    server = share(SERVICE)
    assert server.fetch("/metrics").status == 404
    assert server.fetch("/readyz").status == 404


def test_it_answers_while_every_worker_stands_still(serve):
    server = serve({**SERVICE, "timeouts": {"worker": "60s"}})
    pids = server.wait_workers(2)
    for pid in pids:
        processes.send(pid, signal.SIGSTOP)
    assert server.ask_admin("/healthz").status == 200
    assert server.ask_admin("/metrics").status == 200
    for pid in pids:
        processes.send(pid, signal.SIGCONT)


def test_it_keeps_connections_alive_and_answers_in_order(share):
    server = share(SERVICE)
    with Client(server.admin) as client:
        for _ in range(3):
            assert client.get("/healthz").status == 200
        client.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n")
        assert [client.read_answer().status for _ in range(2)] == [200, 404]


def test_it_survives_bad_clients(share):
    server = share(SERVICE)
    assert b" 400 " in exchange(server.admin, b"NONSENSE\r\n\r\n")
    idle = [Client(server.admin) for _ in range(50)]
    assert server.ask_admin("/metrics").status == 200
    for client in idle:
        client.close()
    server.wait_workers(2)


def test_over_tcp_it_answers_to_addresses_and_listed_names_only(serve):
    settings = {**SERVICE, "workers": 1, "admin": "127.0.0.1:0", "admin_hosts": ["localhost", ".example.org"]}
    server = serve(settings)
    address = server.wait_log(r"admin on (127\.0\.0\.1:\d+)")[1]

    def status(host):
        asked = b"GET /status HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host
        return int(exchange(address, asked).split()[1])

    hosts = (address.encode(), b"localhost", b"prometheus-target:9815", b"a.example.org", b"evil.example")
    assert [status(host) for host in hosts] == [200, 200, 200, 200, 421]
    assert b"200" in exchange(address, b"GET /healthz HTTP/1.0\r\n\r\n").split()


def test_its_unix_socket_is_closed_to_other_users_whatever_the_umask(serve, tmp_path):
    server = serve({**SERVICE, "workers": 1, "umask": "0000", "listen": [f"unix:{tmp_path}/web.sock"]})
    assert Path(server.admin.removeprefix("unix:")).stat().st_mode & 0o777 == 0o770
    assert (tmp_path / "web.sock").stat().st_mode & 0o777 == 0o777, "the umask is the operator's"


def test_off_means_off(serve):
    server = serve({**SERVICE, "admin": "off"})
    assert "9815" not in server.log()
    with pytest.raises(FileNotFoundError):
        server.ask_admin("/healthz")


def test_a_tcp_address_is_bound_and_logged(serve):
    server = serve({**SERVICE, "admin": "127.0.0.1:0"})
    found = wait_until(
        lambda: [line for line in server.log().splitlines() if "admin" in line and "127.0.0.1:" in line],
        within=5,
        what=server.log,
    )
    address = "127.0.0.1:" + found[0].split("127.0.0.1:")[1].split()[0].strip(",;.)'\"")
    assert b"200" in exchange(address, b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")

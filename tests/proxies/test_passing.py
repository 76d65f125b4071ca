"""What passes a proxy both ways: who the client is, bodies, answers without one, refusals in the middle of one."""

from __future__ import annotations

import json
import threading

import pytest

from tests.proxies.conftest import PROXIES, TRUSTED
from tests.support.certificates import Authority
from tests.support.client import Client, connect, fetch, request_bytes
from tests.support.front import haproxy, nginx_stream

CLIENT = "127.0.0.2"  # what the proxy sees; not trusted, unlike 127.0.0.1
FORGED = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Forwarded-Host": "evil", "X-Real-IP": "6.6.6.6"}
MEGABYTE = b"0123456789abcdef" * 65536
OWN_FORWARDED = {
    "nginx": {
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;": (
            'proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$host";'
        )
    },
    "haproxy": {"option forwardfor": 'http-request add-header Forwarded "for=%[src];proto=http"'},
}
UNBUFFERED = {
    "nginx": {"client_max_body_size 0;": "client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;"},
    "haproxy": {},
}


def environ_of(address: str, headers: dict[str, str] | None = None) -> dict[str, str]:
    with Client(address, source=CLIENT) as client:
        answer = client.request("GET", "/environ", headers)
        assert answer.status == 200, answer
        return json.loads(answer.body)


def forwarded_names(environ: dict[str, str]) -> set[str]:
    return {name for name in environ if "FORWARDED" in name or "REAL_IP" in name}


@pytest.mark.parametrize("program", PROXIES)
def test_the_client_and_the_connections_kept(behind, program):
    server, front = behind(program, {"workers": 1})
    environ = environ_of(front.address, FORGED)
    assert environ["REMOTE_ADDR"] == CLIENT
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == "test"
    assert environ["HTTP_X_FORWARDED_FOR"] == CLIENT
    assert forwarded_names(environ) - {"HTTP_X_REAL_IP"} == {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"}
    assert environ.get("HTTP_X_REAL_IP", CLIENT) == CLIENT
    server.wait_access(rf"^{CLIENT} ".replace(".", r"\."))
    # Directly, the same words are nothing.
    with Client(server.address, source=CLIENT) as client:
        own = json.loads(client.request("GET", "/environ", FORGED).body)
    assert own["REMOTE_ADDR"] == CLIENT
    assert not forwarded_names(own)
    before = server.metrics().total("hybridd_connections_accepted_total")
    with Client(front.address) as client:
        for _ in range(50):
            assert client.get("/").status == 200
    assert server.metrics().total("hybridd_connections_accepted_total") - before < 10


@pytest.mark.parametrize("program", PROXIES)
def test_forwarded(behind, program):
    _, front = behind(program, {"forwarded": "forwarded", "workers": 1}, OWN_FORWARDED[program])
    headers = {"X-Forwarded-For": "6.6.6.6"} | ({"Forwarded": "for=6.6.6.6"} if program == "haproxy" else {})
    environ = environ_of(front.address, headers)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (CLIENT, "http")
    assert environ["HTTP_FORWARDED"].startswith(f"for={CLIENT};proto=http")
    assert forwarded_names(environ) == {"HTTP_FORWARDED"}


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("program", PROXIES)
def test_bodies_and_answers(behind, tmp_path, program, buffered):
    listen = [f"unix:{tmp_path}/up.sock"] if buffered else ["127.0.0.1:0"]
    config = {"listen": listen, "limits": {"body": "8MiB"}, "workers": 1, "timeouts": {"linger": "5s"}}
    server, front = behind(program, config, {} if buffered else UNBUFFERED[program])
    address = front.address
    assert environ_of(address)["REMOTE_ADDR"] == CLIENT
    assert fetch(address, "/echo", "POST", body=MEGABYTE * 5).body == MEGABYTE * 5
    assert len(fetch(address, "/bytes/20000000").body) == 20_000_000
    assert len(fetch(address, "/stream/200/65536").body) == 200 * 65536
    with Client(address) as client:
        for method, target, status in (
            ("HEAD", "/bytes/1000", 200),
            ("GET", "/status/204", 204),
            ("GET", "/status/304", 304),
            ("HEAD", "/status/304", 304),
            ("GET", "/", 200),
        ):
            client.send(request_bytes(method, target))
            answer = client.read_answer(method)
            assert (answer.status, answer.body if target != "/" else b"") == (status, b"")
        head = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        client.send(head)
        assert client.read_answer(interim=True).status == 100
        client.send(b"yes")
        assert client.read_answer().body == b"yes"
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n")
        assert client.read_answer().body == b"yes"
    for _ in range(5):
        assert refused_while_sending(address, f"Content-Length: {len(MEGABYTE) * 40}", MEGABYTE * 40) == 413
    assert fetch(address).status == 200
    assert "Traceback" not in server.log()


def refused_while_sending(address: str, framing: str, body: bytes) -> int:
    """Send a body that is too long; the status that comes meanwhile."""
    with Client(address) as client:
        client.send(f"POST /echo HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n".encode())

        def send() -> None:
            try:
                client.send(body)
            except OSError:
                return

        sender = threading.Thread(target=send)
        sender.start()
        try:
            return client.read_answer().status
        finally:
            client.socket.shutdown(2)
            sender.join()


@pytest.mark.parametrize("program", PROXIES)
def test_clients_that_leave_early_harm_nobody(behind, program):
    server, front = behind(program, {"workers": 1})
    for _ in range(10):
        with Client(front.address) as client:
            client.send(request_bytes("GET", "/stream/1000/65536"))
            client.socket.recv(1000)
            client.abort()
    assert fetch(front.address).status == 200
    server.wait_metric("hybridd_connections", 0, state="active")


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2", "send-proxy-v2 unix"])
def test_the_header_of_haproxy(serve, stack, tmp_path, version):
    word, _, kind = version.partition(" ")
    listen = f"unix:{tmp_path}/up.sock proxy_protocol" if kind else "127.0.0.1:0 proxy_protocol"
    config = {"listen": [listen], "trusted_proxies": ["127.0.0.1", "unix"], "application": "service:app", "workers": 1}
    server = serve(config)
    line = f"server one {server.address.replace('unix:', 'unix@')} {word}"
    check = "backend hybridd\n    option httpchk GET /checked\n    http-check expect status 404\n"
    changes = {"backend hybridd\n": check}
    front = stack.enter_context(haproxy(tmp_path / "haproxy", line, changes, name="proxy_protocol.cfg"))
    environ = environ_of(front.address, FORGED)
    assert environ["REMOTE_ADDR"] == CLIENT
    assert not forwarded_names(environ)
    # The checks are HAProxy's own: LOCAL in version 2, UNKNOWN or its own address in version 1.
    server.wait_access(r'"GET /checked HTTP/1\.[01]" 404')
    assert server.metrics().value("hybridd_connections_closed_total", reason="proxy_header") == 0


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_header_of_nginx(serve, stack, tmp_path, kind):
    """Of version 1, and no other: nginx/1.22, ngx_stream_proxy_module."""
    listen = f"unix:{tmp_path}/up.sock" if kind == "unix" else "127.0.0.1:0"
    server = serve({**TRUSTED, "listen": [f"{listen} proxy_protocol"], "workers": 1})
    front = stack.enter_context(nginx_stream(tmp_path / "nginx", server.address))
    environ = environ_of(front.address, FORGED)
    assert environ["REMOTE_ADDR"] == CLIENT
    assert not forwarded_names(environ)
    assert fetch(front.address, "/echo", "POST", body=MEGABYTE).body == MEGABYTE
    assert server.metrics().value("hybridd_connections_closed_total", reason="proxy_header") == 0


@pytest.mark.parametrize("program", PROXIES)
def test_tls_behind_the_header(serve, stack, tmp_path, program):
    """The proxy passes connections on; the handshake is hybridd's, and so is what the client asks."""
    authority = Authority(tmp_path / "tls")
    local = authority.sign("localhost", "DNS:localhost,IP:127.0.0.1")
    config = {"listen": ["127.0.0.1:0 proxy_protocol tls"], "tls": local.settings(), **TRUSTED, "workers": 1}
    server = serve(config)
    if program == "nginx":
        front = nginx_stream(tmp_path / "nginx", server.address)
    else:
        line = f"server one {server.address} send-proxy-v2"
        front = haproxy(tmp_path / "haproxy", line, name="proxy_protocol.cfg")
    stack.enter_context(front)
    with (
        connect(front.address, source=CLIENT) as raw,
        authority.client_context().wrap_socket(raw, server_hostname="localhost") as client,
    ):
        client.sendall(request_bytes("GET", "/environ", {**FORGED, "Connection": "close"}))
        received = b"".join(iter(lambda: client.recv(65536), b""))
    environ = json.loads(received.partition(b"\r\n\r\n")[2])
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (CLIENT, "https")
    assert not forwarded_names(environ)

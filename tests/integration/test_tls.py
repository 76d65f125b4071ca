"""TLS as clients see it: what is spoken and what is refused, certificates by name, clients' own, every pattern."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from datetime import timedelta

import pytest

from tests.support import patterns
from tests.support.certificates import Authority
from tests.support.client import connect, request_bytes
from tests.support.tls_client import HalfTls, TlsClient
from tests.support.waiting import wait_until

LISTEN = ["127.0.0.1:0 tls"]
SERVICE = {"application": "service:app", "workers": 1, "listen": LISTEN}
HANDSHAKES = "hybridd_tls_handshakes_total"


def environ(client):
    return json.loads(client.get("/environ").body)


def openssl(address, *arguments, send=b"Q\n"):
    """Return what s_client says, and whether it was content."""
    command = ["openssl", "s_client", "-connect", address, *arguments]
    done = subprocess.run(command, input=send, capture_output=True, check=False, timeout=20)
    return done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def fails(make, **labels):
    """Tell whether a handshake fails; in TLS 1.3 the client learns of it when it reads."""
    try:
        with make() as client:
            client.get("/")
    except (ssl.SSLError, OSError, ValueError):
        return True
    return False


def test_what_is_spoken_and_what_is_not(serve, authority, local):
    """As testssl.sh would ask."""
    server = serve({**SERVICE, "tls": local.settings()})
    address = server.address
    good, said = openssl(address, "-tls1_3")
    assert good
    assert "Cipher is TLS_" in said
    assert "Compression: NONE" in said
    for refused in ("-tls1", "-tls1_1"):
        good, said = openssl(address, refused, "-cipher", "ALL:@SECLEVEL=0")
        assert "Cipher is (NONE)" in said, said
        assert not good
    weak = ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "aNULL", "eNULL")
    for refused in weak:
        assert "Cipher is (NONE)" in openssl(address, "-tls1_2", "-cipher", f"{refused}:@SECLEVEL=0")[1], refused
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        assert f"Cipher is {cipher}" in openssl(address, "-tls1_2", "-cipher", cipher)[1]
    said = openssl(address, "-tls1_2", send=b"R\n")[1]  # asks for a renegotiation
    assert "no renegotiation" in said
    assert "ALPN protocol: http/1.1" in openssl(address, "-alpn", "h2,http/1.1")[1]
    assert "No ALPN negotiated" in openssl(address, "-alpn", "h2")[1]
    curl = subprocess.run(
        ["curl", "-sS", "--cacert", authority.root.certificate, f"https://{address}/"], capture_output=True, check=False
    )
    assert curl.stdout == b"hello\n", curl
    server.wait_metric(HANDSHAKES, 2, result="version")
    server.wait_metric(HANDSHAKES, len(weak), result="cipher")
    assert "Traceback" not in server.log()


def test_plain_http_is_told_what_is_wrong_and_tls_on_a_plain_port_is_refused(serve, local):
    server = serve({**SERVICE, "listen": [*LISTEN, "127.0.0.1:0"], "tls": local.settings()})
    with server.client() as client:
        answer = client.get("/")
        assert (answer.status, answer.body) == (400, b"The plain HTTP request was sent to an HTTPS port.\n")
        assert client.ended()
    with server.client() as client:
        client.send(b"\x00\x01\x02")
        assert client.ended()
    with server.client_of(1) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert client.read_answer().status == 400
    server.wait_metric(HANDSHAKES, 1, result="plain_http")
    server.wait_metric(HANDSHAKES, 1, result="not_tls")
    server.wait_metric("hybridd_connections_closed_total", 2, reason="tls_handshake")
    server.wait_log(r"TLS handshakes? failed.*the last one came from 127\.0\.0\.1")


def test_the_certificate_is_that_of_the_name_that_is_asked_for(serve, authority, local):
    shop = authority.sign("shop.example", "DNS:shop.example,DNS:*.shop.example")
    made = [local, shop]
    both = {"certificates": [str(local.certificate), str(shop.both)], "keys": [str(one.key) for one in made]}
    server = serve({**SERVICE, "tls": both})
    context = authority.client_context()
    context.check_hostname = False
    for name, expected in {
        "localhost": "localhost",
        "shop.example": "shop.example",
        "SHOP.example": "shop.example",
        "www.shop.example": "shop.example",
        "a.b.shop.example": "localhost",
        "other.example": "localhost",
        None: "localhost",
    }.items():
        with TlsClient(server.address, context, name) as client:
            subject = dict(part[0] for part in client.tls.getpeercert()["subject"])
            assert subject["commonName"] == expected, name
            assert environ(client).get("SSL_TLS_SNI") == (name and client.tls.server_hostname)


def test_the_application_is_told_of_the_session_and_nobody_else_can(serve, authority, local):
    server = serve({**SERVICE, "listen": [*LISTEN, "127.0.0.1:0"], "tls": local.settings()})
    forged = {"HTTPS": "on", "SSL-Client-Verify": "SUCCESS", "SSL-Client-S-DN": "CN=root", "SSL_PROTOCOL": "x"}
    with TlsClient(server.address, authority.client_context()) as client:
        found = json.loads(client.get("/environ", forged).body)
    assert found["wsgi.url_scheme"] == "https"
    assert found["HTTPS"] == "on"
    assert found["SSL_PROTOCOL"] == "TLSv1.3"
    assert found["SSL_CIPHER"].startswith("TLS_")
    assert found["SSL_CLIENT_VERIFY"] == "NONE"
    assert "SSL_CLIENT_S_DN" not in found
    with server.client_of(1) as client:
        found = json.loads(client.get("/environ", forged).body)
    assert found["wsgi.url_scheme"] == "http"
    assert not [key for key in found if key == "HTTPS" or key.startswith("SSL_")]


def test_over_tls_with_a_proxy_the_word_of_the_proxy_counts(serve, authority, local):
    server = serve({**SERVICE, "tls": local.settings(), "trusted_proxies": ["127.0.0.1"]})
    with TlsClient(server.address, authority.client_context()) as client:
        for said, scheme, https in (("http", "http", ""), ("https", "https", "on"), ("", "https", "on")):
            fields = {"X-Forwarded-Proto": said} if said else None
            found = json.loads(client.get("/environ", fields).body)
            assert (found["wsgi.url_scheme"], found["HTTPS"]) == (scheme, https)
            assert found["SSL_PROTOCOL"] == "TLSv1.3"


def test_a_target_may_name_https_over_tls_only(serve, authority, local):
    """RFC 9110 7.4; of http nothing is required.  What the application is told is the connection's word."""
    server = serve({**SERVICE, "listen": [*LISTEN, "127.0.0.1:0"], "tls": local.settings()})

    def ask(client, scheme):
        return client.get(f"{scheme}://localhost/environ", {"Host": "localhost"})

    with TlsClient(server.address, authority.client_context()) as client:
        for scheme in ("https", "HTTPS", "http"):
            assert json.loads(ask(client, scheme).body)["wsgi.url_scheme"] == "https", scheme
    with server.client_of(1) as client:
        assert json.loads(ask(client, "http").body)["wsgi.url_scheme"] == "http"
        assert ask(client, "https").status == 421
        assert client.ended()
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="misdirected")


def test_client_certificates(serve, authority, local, tmp_path):
    other = Authority(tmp_path / "other", "Other Root")
    good = authority.sign("alice")
    expired = authority.sign("bob", begins=timedelta(-9), ends=timedelta(-1))
    foreign = other.sign("mallory")
    tls = {**local.settings(), "client_certificates": "required", "client_ca": str(authority.root.certificate)}
    server = serve({**SERVICE, "listen": [*LISTEN, "127.0.0.1:0 tls client_certificates=optional"], "tls": tls})
    required, optional = server.addresses

    def client(address, shown=None):
        return lambda: TlsClient(address, authority.client_context(shown))

    for address in (required, optional):
        with client(address, good)() as connection:
            found = environ(connection)
            assert found["SSL_CLIENT_VERIFY"] == "SUCCESS"
            assert found["SSL_CLIENT_S_DN"] == "O=Tests,CN=alice" or found["SSL_CLIENT_S_DN"] == "CN=alice,O=Tests"
            assert found["SSL_CLIENT_I_DN"].count("CN=Test Root") == 1
            assert found["SSL_CLIENT_CERT"] == good.certificate.read_text()
        assert fails(client(address, foreign))
        assert fails(client(address, expired))
    assert fails(client(required))
    with client(optional)() as connection:
        assert environ(connection)["SSL_CLIENT_VERIFY"] == "NONE"
    server.wait_metric(HANDSHAKES, 5, result="client_certificate")
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_whichever_worker(serve, authority, local, version):
    server = serve({**SERVICE, "workers": 2, "tls": local.settings()})
    context = authority.client_context()
    context.maximum_version = version
    served = set()
    with TlsClient(server.address, context) as client:
        served.add(client.get("/pid").body)
        session = client.tls.session

    def both():
        nonlocal session
        with TlsClient(server.address, context, session=session) as client:
            served.add(client.get("/pid").body)
            assert client.tls.session_reused
            session = client.tls.session
        return len(served) == 2

    wait_until(both, within=10, what="both workers have resumed it")
    assert server.metrics().value(HANDSHAKES, result="full") == 1


@pytest.mark.parametrize("pattern", patterns.NAMES)
def test_in_every_pattern(serve, authority, local, pattern):
    """Bodies both ways, pipelining (bytes that no selector tells of), a session that ends properly."""
    server = serve(patterns.settings(pattern, {"listen": LISTEN, "tls": local.settings()}))
    context = authority.client_context()
    body = bytes(range(256)) * 8192  # 2 MiB: many records
    with TlsClient(server.address, context) as client:
        assert client.request("POST", "/echo", {"Connection": "close"}, body).body == body
        assert client.read_to_end() == b""  # close_notify: without it this raises
    if pattern not in patterns.CLOSING:
        with TlsClient(server.address, context) as client:
            client.send(b"".join(request_bytes("GET", f"/bytes/{size}") for size in range(1, 21)))  # one record
            assert [len(client.read_answer().body) for _ in range(20)] == list(range(1, 21))
    assert "Traceback" not in server.log()


def test_files_and_slow_readers(serve, authority, local, tmp_path):
    file = tmp_path / "large"
    file.write_bytes(b"0123456789abcdef" * 131_072)  # 2 MiB
    server = serve({**SERVICE, "application": "files:application", "tls": local.settings()})
    context = authority.client_context()
    with (
        TlsClient(server.address, context, receive_buffer=65536) as slow,
        TlsClient(server.address, context) as quick,
    ):
        slow.send(request_bytes("GET", f"/?path={file}"))
        assert quick.get(f"/?path={file}&offset=16&length=1000").body == file.read_bytes()[16:1016]
        assert slow.read_answer().body == file.read_bytes()


def test_half_closed_sessions_are_answered(serve, authority, local):
    """With close_notify, and, since a request is whole by its own word, with a bare FIN too."""
    server = serve({**SERVICE, "tls": local.settings()})
    context = authority.client_context()
    with HalfTls(server.address, context) as client:
        client.shake_hands(request_bytes("GET", "/sleep/0.2"))
        client.say_goodbye()
        assert client.read_to_end().endswith(b"\r\n\r\nslept\n")
    with HalfTls(server.address, context) as client:
        client.shake_hands(request_bytes("GET", "/sleep/0.2"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_to_end().endswith(b"\r\n\r\nslept\n")


def test_a_raw_protocol_is_served_and_knows_a_cut_from_an_end(serve, authority, local):
    server = serve({"protocol": "echo_tcp:Echo", "workers": 1, "listen": LISTEN, "tls": local.settings()})
    context = authority.client_context()
    with TlsClient(server.address, context) as client:
        client.send(b"x" * 300_000)
        assert client.read_exactly(300_000) == b"x" * 300_000
        assert client.tls.selected_alpn_protocol() is None
    server.wait_metric("hybridd_connections_closed_total", 1, reason="reset")  # closed without close_notify: cut
    with HalfTls(server.address, context) as client:
        client.shake_hands(b"hello")
        client.say_goodbye()
        assert client.read_to_end() == b"hellobye\n"
    server.wait_metric("hybridd_connections_closed_total", 1, reason="done")
    with connect(server.address) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(100) == b""

"""TLS when something is wrong: certificates that do not fit, reloads under load, slow and abandoned handshakes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest
import yaml

from tests.support.client import request_bytes
from tests.support.passage import NOBODY, is_root, passage
from tests.support.tls_client import HalfTls, TlsClient
from tests.support.tls_load import TlsLoad
from tests.support.tools import ENVIRONMENT
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1, "listen": ["127.0.0.1:0 tls"]}
HANDSHAKES = "hybridd_tls_handshakes_total"
EXPIRY = "hybridd_tls_certificate_expiry_timestamp_seconds"
ABANDONED = 1000 if ENVIRONMENT.get("HYBRIDD_TEST_FULL") else 200


@pytest.fixture
def installed(local, tmp_path):
    """The files that a server is given, which a test may replace, and their section ``tls``."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(local.certificate, certificate)
    shutil.copy(local.key, key)
    return certificate, key, {"certificates": [str(certificate)], "keys": [str(key)]}


def reloaded(server):
    """Reload, and return what became of it."""
    before = len(server.log())
    server.signal(signal.SIGHUP)
    wait_until(
        lambda: re.search(r"reload refused, |reload: done, ", server.log()[before:]),
        within=20,
        what="the reload has a verdict",
    )
    return server.status()["reload"]


def test_certificates_are_reloaded_without_a_dropped_connection_and_refused_when_they_do_not_fit(
    serve, authority, local, installed
):
    certificate, key, tls = installed
    server = serve({**SERVICE, "workers": 2, "tls": tls})
    context = authority.client_context()
    load = TlsLoad(server.address, context)
    with TlsClient(server.address, context) as stays:
        first = stays.tls.getpeercert()["serialNumber"]
        stays.send(request_bytes("GET", "/sleep/1"))
        load.start()
        newer = authority.sign("localhost2", "DNS:localhost,IP:127.0.0.1", ends=timedelta(5))
        # Bad: the key is another one's.
        shutil.copy(newer.certificate, certificate)
        verdict = reloaded(server)
        assert f"{key} has a key in it that is not the certificate's" in verdict["reason"]
        # Bad: it is not there.
        key.unlink()
        assert f"{key} (key): cannot read it: No such file" in reloaded(server)["reason"]
        assert load.serials <= {first}
        assert server.metrics().value("hybridd_config_last_reload_successful") == 0
        # Good.
        shutil.copy(newer.key, key)
        assert reloaded(server)["reason"] is None
        assert server.metrics().value("hybridd_config_last_reload_successful") == 1
        assert stays.read_answer().body == b"slept\n"
        load.wait_served(20)
        load.stop()
    assert load.failures == []
    assert len(load.serials) == 2
    with TlsClient(server.address, context) as client:
        assert client.tls.getpeercert()["serialNumber"] != first
    ends = ssl.cert_time_to_seconds(client_end(newer))
    assert server.metrics().value(EXPIRY, certificate=str(certificate)) == ends
    server.wait_log(r"warning .*the certificate of localhost2 in .*cert\.pem expires on .* \(days left: 4\)")


def client_end(made):
    command = ["openssl", "x509", "-in", made.certificate, "-noout", "-enddate"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().removeprefix("notAfter=")


def test_words_may_come_and_go_with_a_reload(serve, authority, local):
    """The socket is the same one."""
    server = serve({**SERVICE, "listen": ["127.0.0.1:0"]})
    assert server.fetch("/").status == 200
    server.configure({**SERVICE, "tls": local.settings()})
    address = server.address
    assert reloaded(server)["reason"] is None
    assert (server.address, server.status()["listeners"][0]["words"]) == (address, "tls")
    with TlsClient(address, authority.client_context()) as client:
        assert client.get("/").status == 200


def test_a_handshake_that_dawdles_is_cut_while_others_are_served(serve, authority, local):
    server = serve({**SERVICE, "tls": local.settings(), "timeouts": {"handshake": "2s"}})
    context = authority.client_context()
    with ExitStack() as stack:
        dawdling = [stack.enter_context(HalfTls(server.address, context)) for _ in range(ABANDONED)]
        for number, one in enumerate(dawdling):
            hello = one.begin()
            one.socket.sendall(hello if number % 2 else hello[:50])  # answered, and not; then nothing more
        drip = stack.enter_context(HalfTls(server.address, context))
        first, *rest = drip.begin()
        drip.socket.sendall(bytes([first]))
        with TlsClient(server.address, context) as client:
            for byte in rest[:20]:
                with suppress(OSError):
                    drip.socket.sendall(bytes([byte]))
                assert client.get("/").body == b"hello\n"
            assert server.metrics().value(HANDSHAKES, result="full") == 1
        with suppress(ConnectionResetError):
            assert drip.socket.recv(1) == b""
        server.wait_metric(HANDSHAKES, ABANDONED + 1, result="timeout", within=20)
        server.wait_metric("hybridd_connections_closed_total", ABANDONED + 1, reason="handshake_timeout")
    with TlsClient(server.address, context) as client:
        assert client.get("/").body == b"hello\n"
    server.wait_log("did not come to their first request within timeouts.handshake")
    assert "Traceback" not in server.log()


def test_a_storm_of_abandoned_handshakes_leaves_nothing_behind(serve, authority, local):
    server = serve({**SERVICE, "tls": local.settings()})
    context = authority.client_context()
    for number in range(ABANDONED):
        with HalfTls(server.address, context) as client:
            hello = client.begin()
            client.socket.sendall(hello[: 1 + number * 7 % len(hello)])
    server.wait_metric(HANDSHAKES, ABANDONED, result="gone", within=20)
    assert server.metrics().total("hybridd_connections") == 0
    with TlsClient(server.address, context) as client:
        assert client.get("/").body == b"hello\n"
    assert "Traceback" not in server.log()


def test_a_slow_reader_is_left_alone_and_one_that_reads_nothing_is_cut(serve, authority, local):
    server = serve({**SERVICE, "tls": local.settings(), "timeouts": {"write": "1s"}})
    context = authority.client_context()
    with TlsClient(server.address, context, receive_buffer=65536) as slow, TlsClient(server.address, context) as silent:
        for client in (slow, silent):
            client.send(request_bytes("GET", "/bytes/12000000"))
        cut = lambda: server.metrics().value("hybridd_connections_closed_total", reason="write_timeout")  # noqa: E731
        wait_until(lambda: slow.tls.recv(16384) and cut() == 1, within=15, what="one of them is cut")
        left = slow.read_exactly(1_000_000)  # in the middle of the answer, of which one has had a part
        assert set(left[-1000:]) == {ord("x")}
        assert cut() == 1


def test_check_tells_everything_that_is_wrong_with_the_files(authority, local, tmp_path):
    encrypted, empty, old = tmp_path / "encrypted.key", tmp_path / "empty.pem", authority.sign("old", ends=timedelta(1))
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", local.key, "-out", encrypted, "-passout", "pass:x"], check=True
    )
    empty.write_text("")
    later = authority.sign("later", begins=timedelta(3))
    said = check(
        tmp_path,
        {
            "certificates": [str(one) for one in (local.certificate, empty, tmp_path / "gone", old.certificate)],
            "keys": [str(one) for one in (encrypted, local.key, local.key, local.key)],
            "ciphers": "ROT13",
            "client_certificates": "required",
            "client_ca": str(local.certificate),
        },
        78,
    )
    for sentence in (
        "tls.ciphers: expected ciphers that OpenSSL has (openssl ciphers -v), got ROT13",
        f"{encrypted} has a key in it that is encrypted, and nobody is there to type its passphrase",
        f"{empty} has no certificate in it",
        f"{tmp_path}/gone (certificate): cannot read it: No such file or directory",
        f"{local.key} has a key in it that is not the certificate's",
        f"{local.certificate} has no certificate of an authority in it",
    ):
        assert sentence in said
    both = {"certificates": [str(one.certificate) for one in (old, later)], "keys": [str(old.key), str(later.key)]}
    said = check(tmp_path, both, 0)
    assert f"the certificate of old in {old.certificate} expires on" in said
    assert f"the certificate of later in {later.certificate} is not valid before" in said


def check(folder, tls, status):
    file = folder / "checked.yaml"
    file.write_text(yaml.safe_dump({"listen": ["127.0.0.1:0 tls"], "tls": tls}))
    done = subprocess.run(
        [sys.executable, "-m", "hybridd", "check", "-c", str(file)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == status, done.stderr
    return done.stderr


@pytest.mark.skipif(not is_root(), reason="only root can give up its rights")
def test_a_key_that_only_root_may_read_is_read_before_the_rights_are_given_up(daemon, place, authority, local):
    key = place / "root-only.key"
    shutil.copy(local.key, key)
    key.chmod(0o600)
    certificate = place / "cert.pem"
    shutil.copy(local.certificate, certificate)
    certificate.chmod(0o644)
    tls = {"certificates": [str(certificate)], "keys": [str(key)]}
    server = daemon({**SERVICE, "user": "nobody", "tls": tls}, before=passage(place))
    os.chown(server.folder, NOBODY, NOBODY)
    server.config_file.chmod(0o644)
    server.start()
    server.wait_log(rf"a reload will be refused: user nobody may not read {key}; let the user")
    verdict = reloaded(server)
    assert f"{key} (key): cannot read it: Permission denied; let the user that hybridd runs as" in verdict["reason"]
    with TlsClient(server.address, authority.client_context()) as client:
        assert client.get("/").body == b"hello\n"
    key.chmod(0o644)
    assert reloaded(server)["reason"] is None

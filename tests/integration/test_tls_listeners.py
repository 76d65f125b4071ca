"""TLS on every kind of listener, each with its own certificate by its words: over preload, reload and upgrade."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.certificates import Authority, Made
from tests.support.client import request_bytes
from tests.support.server import ServerProcess
from tests.support.tls_client import TlsClient
from tests.support.tls_load import TlsLoad
from tests.support.verbs import verb

SERVICE = {"application": "service:app", "workers": 2}
NAMES = ["localhost", "unix.example", "handed.example", "both.example"]
"""Whose certificate each listener shows: that of the settings, two by words, one in a file together with its key."""


@dataclass
class Site:
    """A server with one listener for each of NAMES, and the files of their certificates."""

    server: ServerProcess
    authority: Authority
    made: list[Made]

    def client(self, listener: int) -> TlsClient:
        return TlsClient(self.server.addresses[listener], self.authority.client_context(), NAMES[listener])

    def shown(self) -> list[str]:
        """Ask each listener something; return the serial numbers of what they show, under the names that are theirs."""
        serials = []
        for listener, name in enumerate(NAMES):
            with self.client(listener) as client:
                certificate = client.tls.getpeercert()
                assert dict(part[0] for part in certificate["subject"])["commonName"] == name
                assert client.get("/").body == b"hello\n"
                serials.append(certificate["serialNumber"])
        return serials

    def renew(self, listener: int) -> None:
        """Put another certificate, of the same name, into the files of a listener."""
        name = NAMES[listener]
        newer = self.authority.sign(name, f"DNS:{name},DNS:localhost")
        shutil.copy(newer.certificate, self.made[listener].certificate)
        shutil.copy(newer.key, self.made[listener].key)


@pytest.fixture
def site(serve, authority, local, tmp_path):
    @contextmanager
    def begin(**further: object) -> Iterator[Site]:
        made = [local]
        for name in NAMES[1:]:
            signed = authority.sign(name, f"DNS:{name},DNS:localhost")
            copies = [shutil.copy(file, tmp_path / file.name) for file in (signed.certificate, signed.key)]
            made.append(Made(*map(Path, copies)))
        _, unix, handed, both = made
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listen = [
                "127.0.0.1:0 tls",
                f"unix:{tmp_path}/web.sock tls certificate={unix.certificate} key={unix.key}",
                f"fd:{listener.fileno()} tls certificate={handed.certificate} key={handed.key}",
                f"127.0.0.1:0 tls certificate={both.both}",
            ]
            config = {**SERVICE, "listen": listen, "tls": local.settings(), **further}
            yield Site(serve(config, pass_fds=[listener.fileno()]), authority, made)

    return begin


def changed(before: list[str], after: list[str]) -> list[int]:
    return [listener for listener, _ in enumerate(NAMES) if after[listener] != before[listener]]


def upgrade(server: ServerProcess) -> None:
    done = verb(server, "upgrade")
    assert (done.returncode, done.stderr) == (0, "")
    assert server.upgraded() == 0


def test_each_listener_shows_its_own_certificate_through_every_change(site):
    """A worker's death, a reload with one new certificate, an upgrade with another: nobody fails meanwhile."""
    with site(preload=True) as one:
        server = one.server
        first = one.shown()
        assert len(set(first)) == 4
        victim, _ = server.wait_workers(2)
        processes.send(victim, signal.SIGKILL)
        server.wait_workers(2, without=[victim])
        assert one.shown() == first
        with TlsLoad(server.addresses[2], one.authority.client_context()) as load:
            one.renew(1)
            done = verb(server, "reload")
            assert (done.returncode, done.stderr) == (0, "")
            second = one.shown()
            assert changed(first, second) == [1]
            one.renew(2)
            with one.client(1) as asking:
                asking.send(request_bytes("GET", "/sleep/0.5"))
                upgrade(server)
                assert asking.read_answer().body == b"slept\n"
            load.wait_served(10)
            third = one.shown()
            assert changed(second, third) == [2]
        assert load.failures == []
        assert load.serials == {first[2], third[2]}
        assert "Traceback" not in server.log()

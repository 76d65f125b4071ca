"""Every kind of address on real sockets: what is bound, what is refused with which words, what is left behind."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from hybridd.config.address import Address, Kind, parse_address
from hybridd.errors import BindError, ExitCode
from hybridd.net.listener import MOST_UNSENT, Listener, bind_all

BACKLOG = 16


@pytest.fixture
def bind():
    """Bind addresses given as text; closed at the end: bind("127.0.0.1:0", …, inherited={…})."""
    bound: list[Listener] = []

    def bind(*addresses: str, inherited: dict[str, list[int]] | None = None) -> list[Listener]:
        listeners = bind_all([parse_address(text) for text in addresses], BACKLOG, inherited or {})
        bound.extend(listeners)
        return listeners

    yield bind
    for listener in bound:
        listener.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A short path for unix sockets, whose names may have 107 bytes."""
    monkeypatch.chdir(tmp_path)
    return Path()


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


def greet(listener: Listener, client: socket.socket) -> tuple[bytes, object]:
    """Let a connected client send; return what arrives through the listener, and the peer it names."""
    client.sendall(b"hello")
    listener.sock.settimeout(10)
    connection, peer = listener.accept()
    listener.sock.setblocking(False)
    with connection:
        connection.settimeout(10)
        return connection.recv(100), peer


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=10)


def connect_unix(path: object) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(path))
    return client


def listening_socket(family: int = socket.AF_INET) -> socket.socket:
    """What systemd, or whoever started us, would hand over."""
    sock = socket.socket(family)
    sock.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
    sock.listen(1)
    return sock


# -- TCP


def test_tcp(bind):
    (listener,) = bind("127.0.0.1:0")
    assert listener.name == "127.0.0.1:0"
    assert listener.address == f"127.0.0.1:{listener.sock.getsockname()[1]}"
    assert listener.owned
    with connect(listener.address) as client:
        assert greet(listener, client) == (b"hello", client.getsockname())


@needs_ipv6
def test_tcp6(bind):
    (listener,) = bind("[::1]:0")
    assert listener.address == f"[::1]:{listener.sock.getsockname()[1]}"
    with connect(listener.address) as client:
        data, peer = greet(listener, client)
    assert data == b"hello"
    assert peer[0] == "::1"


@needs_ipv6
def test_both_wildcards_can_stand_on_one_port(bind):
    (four,) = bind("0.0.0.0:0")
    port = four.sock.getsockname()[1]
    (six,) = bind(f"[::]:{port}")
    with connect(f"127.0.0.1:{port}") as client:
        assert greet(four, client)[0] == b"hello"
    with connect(f"[::1]:{port}") as client:
        assert greet(six, client)[0] == b"hello"


def test_accepting_never_waits(bind):
    (listener,) = bind("127.0.0.1:0")
    with pytest.raises(BlockingIOError):
        listener.accept()
    with connect(listener.address):
        listener.sock.settimeout(10)
        connection, _ = listener.accept()
        with connection:
            assert not connection.getblocking()
            assert not os.get_inheritable(connection.fileno())


def test_connections_inherit_what_is_said_once(bind):
    """No delay for an answer in two writes, little unsent data in the kernel, a look at who has vanished."""
    own = bind("127.0.0.1:0")[0]
    handed = listening_socket()
    adopted = bind(f"fd:{handed.detach()}")[0]
    for listener in (own, adopted):
        with connect(listener.address):
            listener.sock.settimeout(10)
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), listener
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == MOST_UNSENT
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


def test_a_restart_does_not_wait_for_old_connections(bind):
    (listener,) = bind("127.0.0.1:0")
    address = listener.address
    with connect(address) as client:
        listener.sock.settimeout(10)
        connection, _ = listener.accept()
        connection.close()  # first: its end stays in TIME_WAIT
        assert client.recv(1) == b""
    listener.close()
    assert bind(address)[0].address == address


def test_a_port_in_use_is_said_with_what_to_do(bind):
    (listener,) = bind("127.0.0.1:0")
    port = listener.sock.getsockname()[1]
    with pytest.raises(BindError) as refused:
        bind(listener.address)
    assert str(refused.value) == (
        f"cannot listen on 127.0.0.1:{port}: the address is in use;"
        f" stop the other server (see: ss -ltnp 'sport = :{port}') or choose another"
    )
    assert refused.value.exit_code == ExitCode.CANNOT_BIND


def test_an_address_of_another_machine_is_refused(bind):
    with pytest.raises(BindError, match=r"240\.0\.0\.1:8080: this machine does not have that address"):
        bind("240.0.0.1:8080")  # RFC 1112, class E: nobody has it


def test_a_host_name_that_nobody_knows_is_refused(bind, monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(BindError, match="the host name 'nowhere' is not known"):
        bind("nowhere:8080")


def test_a_low_port_without_the_right_is_explained(bind, monkeypatch):
    def refuse(self, _address):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse, raising=False)
    with pytest.raises(BindError, match="CAP_NET_BIND_SERVICE"):
        bind("127.0.0.1:80")


def found(*hosts: str):
    """What getaddrinfo says of a name that has several addresses."""
    return lambda _host, port, *_args, **_options: [
        (socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts
    ]


def test_every_address_of_a_name_is_bound(bind, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", found("127.0.0.1", "127.0.0.2", "127.0.0.1"))
    listeners = bind("both:0")
    assert [listener.address.rpartition(":")[0] for listener in listeners] == ["127.0.0.1", "127.0.0.2"]
    assert {listener.name for listener in listeners} == {"both:0"}


def test_an_address_of_a_name_that_this_machine_does_not_have_is_left_out(bind, monkeypatch):
    """localhost is ::1 too in /etc/hosts of most containers, and most containers have no IPv6."""
    monkeypatch.setattr(socket, "getaddrinfo", found("240.0.0.1", "127.0.0.1"))
    assert [listener.address.rpartition(":")[0] for listener in bind("localhost:0")] == ["127.0.0.1"]


def test_a_name_none_of_whose_addresses_this_machine_has_is_refused(bind, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", found("240.0.0.1", "240.0.0.2"))
    with pytest.raises(BindError, match="elsewhere:8080: this machine does not have that address"):
        bind("elsewhere:8080")


def test_a_name_one_of_whose_addresses_is_in_use_is_refused(bind, monkeypatch):
    (taken,) = bind("127.0.0.2:0")
    port = taken.sock.getsockname()[1]
    monkeypatch.setattr(socket, "getaddrinfo", found("127.0.0.1", "127.0.0.2"))
    with pytest.raises(BindError, match="in use"):
        bind(f"both:{port}")
    monkeypatch.undo()
    with pytest.raises(ConnectionRefusedError):
        connect(f"127.0.0.1:{port}")


# -- unix


def test_unix(bind, folder):
    (listener,) = bind("unix:app.sock")
    assert (listener.name, listener.address) == ("unix:app.sock", "unix:app.sock")
    with connect_unix("app.sock") as client:
        assert greet(listener, client)[0] == b"hello"
    listener.close()
    assert not (folder / "app.sock").exists()


def test_the_file_of_a_dead_server_is_replaced(bind, folder):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind("app.sock")
        dead.listen(1)
    assert stat.S_ISSOCK((folder / "app.sock").stat().st_mode)
    (listener,) = bind("unix:app.sock")
    with connect_unix("app.sock") as client:
        assert greet(listener, client)[0] == b"hello"


def test_a_living_server_keeps_its_file(bind, folder):
    (living,) = bind("unix:app.sock")
    with pytest.raises(BindError, match=r"unix:app\.sock: the address is in use \(another process listens there\)"):
        bind("unix:app.sock")
    connection, _ = accept_one(living)  # the probe
    connection.close()
    with connect_unix("app.sock") as client:
        assert greet(living, client)[0] == b"hello"


def accept_one(listener: Listener) -> tuple[socket.socket, object]:
    listener.sock.settimeout(10)
    try:
        return listener.accept()
    finally:
        listener.sock.setblocking(False)


def test_a_living_server_with_a_full_backlog_keeps_its_file(bind, folder):
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind("app.sock")
        busy.listen(0)
        waiting = []
        while True:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            waiting.append(client)
            try:
                client.connect("app.sock")
            except BlockingIOError:
                break
        with pytest.raises(BindError, match="another process listens there"):
            bind("unix:app.sock")
        for client in waiting:
            client.close()
    assert (folder / "app.sock").exists()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_not_a_socket_is_never_removed(bind, folder, make):
    make(folder / "app.sock")
    with pytest.raises(BindError, match="the file exists and is not a socket"):
        bind("unix:app.sock")
    assert (folder / "app.sock").exists()


def test_a_folder_that_is_not_there_is_said(bind, folder):
    with pytest.raises(BindError, match=r"unix:nowhere/app\.sock: its folder does not exist"):
        bind("unix:nowhere/app.sock")


def test_the_file_of_a_successor_is_left_alone(bind, folder):
    (old,) = bind("unix:app.sock")
    (folder / "app.sock").unlink()
    (new,) = bind("unix:app.sock")
    old.close()
    with connect_unix("app.sock") as client:
        assert greet(new, client)[0] == b"hello"


def test_a_file_that_is_gone_already_does_not_matter(bind, folder):
    (listener,) = bind("unix:app.sock")
    (folder / "app.sock").unlink()
    listener.close()
    listener.close()


# -- inherited


def test_a_descriptor_by_number(bind):
    handed = listening_socket()
    address = handed.getsockname()
    os.set_inheritable(handed.fileno(), True)
    fd = handed.detach()
    (listener,) = bind(f"fd:{fd}")
    assert (listener.name, listener.address) == (f"fd:{fd}", f"127.0.0.1:{address[1]}")
    assert not listener.owned
    assert not os.get_inheritable(fd), "programs that the application starts must not get it"
    with socket.create_connection(address, timeout=10) as client:
        assert greet(listener, client)[0] == b"hello"


def test_an_abstract_unix_socket_is_spelt_with_an_at(bind):
    handed = socket.socket(socket.AF_UNIX)
    name = f"hybridd-test-{os.getpid()}"
    handed.bind(f"\0{name}")
    handed.listen(1)
    (listener,) = bind(f"fd:{handed.detach()}")
    assert listener.address == f"unix:@{name}"


def test_the_file_of_a_unix_socket_that_was_handed_over_stays(bind, folder):
    handed = socket.socket(socket.AF_UNIX)
    handed.bind("app.sock")
    handed.listen(1)
    (listener,) = bind(f"fd:{handed.detach()}")
    listener.close()
    assert (folder / "app.sock").exists()


def test_a_number_that_is_no_open_descriptor_is_refused(bind):
    free = os.dup(0)
    os.close(free)
    with pytest.raises(BindError, match=f"fd:{free}: descriptor {free} is not an open socket"):
        bind(f"fd:{free}")


def test_a_descriptor_that_is_no_socket_is_refused_and_left_open(bind, tmp_path):
    with (tmp_path / "file").open("w") as file:
        with pytest.raises(BindError, match="is not an open socket"):
            bind(f"fd:{file.fileno()}")
        file.write("still open")


@pytest.mark.parametrize(
    "sort",
    [(socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM)],
)
def test_a_socket_that_does_not_listen_is_refused_and_left_open(bind, sort):
    with socket.socket(*sort) as sock:
        with pytest.raises(BindError, match="is not a listening stream socket"):
            bind(f"fd:{sock.fileno()}")
        os.fstat(sock.fileno())


def test_sockets_of_systemd_by_name(bind):
    handed = [listening_socket() for _ in range(3)]
    ports = [sock.getsockname()[1] for sock in handed]
    first, second, other = (sock.detach() for sock in handed)
    inherited = {"web": [first, second], "admin": [other]}
    listeners = bind("systemd:web", "systemd:admin", inherited=inherited)
    assert [listener.sock.getsockname()[1] for listener in listeners] == ports
    assert [listener.name for listener in listeners] == ["systemd:web", "systemd:web", "systemd:admin"]
    assert not any(listener.owned for listener in listeners)


@pytest.mark.parametrize(("passed", "known"), [({}, "none at all"), ({"web": [3], "api": [4]}, "api, web")])
def test_a_name_that_systemd_did_not_pass_is_said_with_those_that_it_did(bind, passed, known):
    with pytest.raises(BindError) as refused:
        bind("systemd:admin", inherited=passed)
    assert f"cannot listen on systemd:admin: systemd passed no socket of that name (passed: {known})" in str(
        refused.value
    )
    assert "FileDescriptorName=admin" in str(refused.value)


# -- all or nothing


def test_nothing_is_left_bound_when_one_of_several_fails(bind, folder):
    (taken,) = bind("127.0.0.1:0")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        free = reserved.getsockname()[1]
    with pytest.raises(BindError, match=taken.address):
        bind("unix:app.sock", f"127.0.0.1:{free}", taken.address)
    assert not (folder / "app.sock").exists()
    with pytest.raises(ConnectionRefusedError):
        connect(f"127.0.0.1:{free}")
    assert bind("unix:app.sock", f"127.0.0.1:{free}")


def test_listeners_keep_the_order_of_the_configuration(bind, folder):
    listeners = bind("127.0.0.1:0", "unix:b.sock", "127.0.0.2:0", "unix:a.sock")
    assert [listener.name for listener in listeners] == ["127.0.0.1:0", "unix:b.sock", "127.0.0.2:0", "unix:a.sock"]


def test_every_kind_of_address_is_known():
    """A kind without a case would bind nothing and say nothing."""
    for kind in Kind:
        address = Address(kind, host="240.0.0.1", port=1, path="/nowhere/x", fd=987_654, name="x")
        with pytest.raises(BindError):
            bind_all([address], BACKLOG, {})

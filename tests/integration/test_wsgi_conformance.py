"""PEP 3333 over the wire: the applications of tests/apps, each a behaviour, served by the real daemon."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from urllib.parse import quote

import pytest

from tests.support import processes
from tests.support.client import CUT
from tests.support.waiting import wait_until

HOSTILE_HEADS = (
    "cr", "lf", "crlf", "nul", "name-lf", "name-colon", "name-empty", "not-latin-1", "value-int", "value-bytes",
    "value-none", "name-bytes", "pair", "three", "status-lf", "status-words", "status-glued", "status-short",
    "status-int", "status-bytes", "status-1xx", "length-text", "length-negative", "length-two",
)  # fmt: skip


def with_one_worker(application, settings=None):
    return {"application": application, "workers": 1, **(settings or {})}


@pytest.fixture
def site(share):
    """Borrow a server with one worker for an application of tests/apps."""
    return lambda application, settings=None: share(with_one_worker(application, settings))


@pytest.fixture
def own_site(serve):
    """Start one, for who looks at what it has done since then."""
    return lambda application, settings=None: serve(with_one_worker(application, settings))


def test_the_smallest_application(site):
    server = site("hello:application")
    answer = server.fetch("/")
    assert (answer.version, answer.status, answer.reason, answer.body) == ("HTTP/1.1", 200, "OK", b"hello\n")
    assert answer.header("content-length") == "6"
    assert answer.header("server") == "hybridd"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.header("date") or "")


@pytest.mark.parametrize(
    ("application", "settings"),
    [("hello:app", {}), ("hello:create_app", {"factory": True}), ("hello:Site.application", {}), ("hello", {})],
    ids=["second name", "factory", "dotted", "module alone"],
)
def test_ways_to_name_an_application(site, application, settings):
    assert site(application, settings).fetch("/").body == b"hello\n"


@pytest.mark.parametrize("path", ["/", "/length", "/none", "/write", "/stream"])
def test_wsgiref_validate_finds_nothing(site, path):
    server = site("validated:application")
    with server.client() as client:
        for _ in range(2):
            answer = client.get(path)
            assert answer.status == (204 if path == "/none" else 200), server.log()
            assert answer.body == (b"" if path == "/none" else b"hello\n")
        assert client.request("POST", path, {}, b"sent").body == (b"" if path == "/none" else b"sent")
        assert client.request("HEAD", path).body == b""
    assert f"seen {path}" in server.wait_log(f"seen {path}").group()
    assert "AssertionError" not in server.log()


def test_the_environ(site):
    server = site("service:app")
    with server.client() as client:
        port = str(client.socket.getsockname()[1])
        answer = client.get(
            "/environ/a%20b%2Fc/%E2%82%AC?q=%20x&y", {"Host": "example.org:81", "X-Two": "1", "Cookie": "a=b"}
        )
    environ = json.loads(answer.body)
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/environ/a b/c/€"
    assert environ["QUERY_STRING"] == "q=%20x&y"
    assert environ["HTTP_HOST"] == "example.org:81"
    assert environ["HTTP_X_TWO"] == "1"
    assert environ["HTTP_COOKIE"] == "a=b"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["SERVER_PORT"] == server.address.rpartition(":")[2]
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", port)
    assert environ["wsgi.version"] == [1, 0]
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.multithread"] is True
    assert environ["wsgi.run_once"] is False
    assert "HTTP_CONTENT_LENGTH" not in environ
    assert "HTTP_CONTENT_TYPE" not in environ


def test_repeated_headers_are_joined_and_underscores_cannot_forge_them(site):
    server = site("service:app")
    with server.client() as client:
        fields = ["Host: t", "X-A: 1", "X-A: 2", "Cookie: a=1", "Cookie: b=2", "X_User: forged"]
        client.send("\r\n".join(["GET /environ HTTP/1.1", *fields, "", ""]).encode())
        text = client.read_answer().text
    assert '"HTTP_X_A": "1,2"' in text.replace("1, 2", "1,2")
    assert '"HTTP_COOKIE": "a=1; b=2"' in text
    assert "forged" not in text


# -- bodies in


@pytest.mark.parametrize("size", [0, 1, 1000, 65_536, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_arrives_whole(site, size, chunked):
    server = site("upload:application")
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with server.client() as client:
        if chunked:
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, size, 50_000):
                block = body[start : start + 50_000]
                client.send(b"%x\r\n%s\r\n" % (len(block), block))
            client.send(b"0\r\nX-Trailer: ignored\r\n\r\n")
        else:
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % size)
            client.send(body)
        assert client.read_answer().text == f"{size} {hashlib.sha256(body).hexdigest()}\n"
        assert client.request("POST", "/echo", {}, b"again").body == b"again"


def test_a_body_that_nobody_reads_does_not_become_the_next_request(own_site):
    server = own_site("upload:application")
    with server.client() as client:
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"
        assert client.request("POST", "/unread", {}, smuggled * 100).body == b"not read\n"
        assert client.request("POST", "/echo", {}, b"next").body == b"next"
    server.wait_access("/echo")
    assert not any("smuggled" in line for line in server.access_log())


def test_expect_100_continue(site):
    server = site("upload:application")
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        interim = client.read_answer(interim=True)
        assert interim.status == 100
        client.send(b"hello")
        assert client.read_answer().body == b"hello"


def test_expect_100_continue_is_not_asked_for_when_the_body_is_too_large(site):
    server = site("upload:application", {"limits": {"body": "10B"}})
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_answer(interim=True).status == 413


# -- bodies out


@pytest.mark.parametrize("kind", ["one", "list", "generator", "generator-with-length"])
@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_000])
def test_a_response_arrives_whole(site, kind, size):
    server = site("big_body:application")
    with server.client() as client:
        for _ in range(2):
            answer = client.get(f"/?size={size}&as={kind}")
            assert len(answer.body) == size
            assert answer.body == (bytes(range(256)) * (size // 256 + 1))[:size]
        assert client.request("HEAD", f"/?size={size}&as={kind}").body == b""
        assert client.get("/?size=3").body == b"\x00\x01\x02"


def test_http_1_0(site):
    server = site("big_body:application")
    for kind in ("one", "generator"):
        with server.client() as client:
            client.send(f"GET /?size=100000&as={kind} HTTP/1.0\r\n\r\n".encode())
            answer = client.read_answer()
            assert answer.header("transfer-encoding") is None
            assert len(answer.body) == 100_000
            assert client.ended()
    with server.client() as client:
        client.send(b"GET /?size=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
        for _ in range(2):
            answer = client.read_answer()
            assert (answer.header("connection") or "").lower() == "keep-alive"
            assert len(answer.body) == 3


@pytest.mark.parametrize("path", ["/", "/lazy", "/hollow"])
def test_generators_are_streamed_and_closed_once(site, path):
    server = site("streaming:application")
    with server.client() as client:
        expected = {"/": b"A" * 10 + b"B" * 10 + b"C" * 10, "/lazy": b"z" * 30, "/hollow": b"x" * 10 + b"y" * 10}[path]
        before = int(client.get("/closed").body)
        assert client.get(path).body == expected
        assert int(client.get("/closed").body) == before + 1
        assert client.request("HEAD", path).body == b""
        assert int(client.get("/closed").body) == before + 2


def test_what_is_yielded_is_sent_at_once(site):
    server = site("sleeping:application")
    with server.client() as client:
        client.send(b"GET /?seconds=2&stream=1 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.read_head()
        client.socket.settimeout(1.0)  # the second part comes later than that
        assert client.read_chunk() == b"before\n"
        client.socket.settimeout(5.0)
        assert client.read_chunk() == b"after\n"


def test_an_endless_response_ends_when_its_client_leaves(own_site):
    server = own_site("streaming:application", {"threads": 2})
    for _ in range(4):  # more than there are threads
        client = server.client()
        client.send(b"GET /endless?size=10000 HTTP/1.1\r\nHost: t\r\n\r\n")
        assert client.read_head().status == 200
        client.abort()
    wait_until(lambda: server.fetch("/closed").body == b"4\n", within=10, what="all four were closed")
    server.wait_metric("hybridd_handler_slots", 0, state="busy")


@pytest.mark.parametrize(("count", "size"), [(3, 10), (100, 100_000)])
def test_write(site, count, size):
    server = site("legacy_write:application")
    with server.client() as client:
        for _ in range(2):
            assert client.get(f"/?count={count}&size={size}").body == b"w" * size * count + b"returned\n"


def test_write_notices_that_the_client_is_gone(own_site):
    server = own_site("legacy_write:application")
    client = server.client()
    client.send(b"GET /endless?size=10000 HTTP/1.1\r\nHost: t\r\n\r\n")
    assert client.read_head().status == 200
    client.abort()
    wait_until(lambda: server.fetch("/gone").body == b"1\n", within=10, what="write() raised")


# -- files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "big file.bin"
    path.write_bytes(bytes(range(256)) * 40_960)  # 10 MiB
    return path


def test_file_wrapper_sends_a_file(site, file):
    server = site("files:application")
    content = file.read_bytes()
    with server.client() as client:
        for _ in range(2):
            assert client.get(f"/?path={quote(str(file))}&length={len(content)}").body == content
        assert client.get(f"/?path={quote(str(file))}&offset=10000000").body == content[10_000_000:]
        assert client.request("HEAD", f"/?path={quote(str(file))}").body == b""
        assert client.get(f"/?path={quote(str(file))}&length=1000").body == content[:1000]  # no more than promised
        assert client.get("/memory").body == b"0123456789" * 2000
        assert client.get(f"/wrapped?path={quote(str(file))}").body == content


def test_file_wrapper_does_not_send_what_the_descriptor_holds_when_the_file_reads_otherwise(site, tmp_path):
    path = tmp_path / "text.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(b"unpacked " * 1000)
    assert site("files:application").fetch(f"/gzip?path={quote(str(path))}").body == b"unpacked " * 1000


def test_file_wrapper_leaks_no_descriptors(own_site, file):
    server = own_site("files:application")
    (pid,) = server.wait_workers(1)
    server.fetch(f"/?path={quote(str(file))}")
    before = processes.open_fds(pid)
    for turn in range(10):
        client = server.client()
        client.send(f"GET /?path={quote(str(file))} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        client.read_head()
        if turn % 2:
            client.abort()
        else:
            client.close()
    wait_until(lambda: processes.open_fds(pid) <= before, within=10, what="all files and sockets are closed")


# -- failures


@pytest.mark.parametrize(
    "path", ["/before", "/after", "/first", "/exit", "/unprintable", "/interrupt", "/generator-exit"]
)
def test_raising_before_anything_is_sent_is_a_500_and_the_next_request_is_served(site, path):
    server = site("raising:application")
    with server.client() as client:
        for _ in range(2):
            answer = client.get(path)
            assert answer.status == 500
            assert answer.header("x-secret") is None
            assert b"Traceback" not in answer.body
    assert "Traceback" in server.wait_log("Traceback").group()
    assert len(server.ready_pids()) == 1
    assert "died" not in server.log()


def test_raising_later_cuts_the_response(site):
    server = site("raising:application")
    with server.client() as client:
        client.send(b"GET /later HTTP/1.1\r\nHost: t\r\n\r\n")
        with pytest.raises(CUT):
            client.read_answer()
    assert server.fetch("/close").body == b"complete\n"
    server.wait_log("raised in close")


def test_exc_info(site):
    server = site("error_info:application")
    answer = server.fetch("/early")
    assert (answer.status, answer.body, answer.header("x-from")) == (404, b"replaced\n", None)
    assert server.fetch("/twice").status == 500
    with server.client() as client:
        client.send(b"GET /late HTTP/1.1\r\nHost: t\r\n\r\n")
        with pytest.raises(CUT):
            client.read_answer()
    server.wait_log("IndexError")


def test_a_hostile_head_is_never_sent(site):
    server = site("bad_headers:application")
    with server.client() as client:
        for name in HOSTILE_HEADS:
            answer = client.get(f"/{name}")
            assert answer.status == 500, name
            for header in ("x-value", "set-cookie"):
                assert answer.header(header) is None, name
    assert server.fetch("/cr").status == 500


@pytest.mark.parametrize("kind", ["list", "generator", "write"])
def test_a_response_longer_than_promised_is_cut_to_the_promise(site, kind):
    server = site("wrong_length:application")
    with server.client() as client:
        for _ in range(2):
            assert client.get(f"/?says=5&gives=9&as={kind}").body == b"xxxxx"
    server.wait_log(r"(?i)content-length")


@pytest.mark.parametrize("kind", ["list", "generator", "write"])
def test_a_response_shorter_than_promised_ends_the_connection(site, kind):
    server = site("wrong_length:application")
    with server.client() as client:
        client.send(f"GET /?says=9&gives=5&as={kind} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        if kind == "list":  # noticed before anything is sent
            assert client.read_answer().status == 500
        else:
            with pytest.raises(CUT):
                client.read_answer()
    server.wait_log(r"4 bytes shorter than its Content-Length")
    assert server.fetch("/?says=5&gives=5").body == b"xxxxx"


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/str",
        "/list-of-str",
        "/list-of-int",
        "/number",
        "/no-start-response",
        "/no-start-response-empty",
        "/generator-of-str",
    ],
)
def test_a_wrong_result_is_a_500(site, path):
    server = site("wrong_results:application")
    with server.client() as client:
        assert client.get(path).status == 500
        assert client.get(path).status == 500
    server.wait_log("ERROR|error")


def test_an_application_that_steals_signals_and_the_wake_up_descriptor_is_still_stopped(own_site):
    server = own_site("stealing:application", {"timeouts": {"graceful": "60s"}})
    assert server.fetch("/signal").body == b"refused\n"
    for _ in range(5):
        assert server.fetch("/awaited").body == b"awaited /awaited\n"
    server.stop(within=8)


# -- one connection, many requests


def test_pipelined_requests_are_answered_in_order(site):
    server = site("service:app")
    with server.client() as client:
        paths = ["/sleep/0.2", "/", "/bytes/100000", "/stream/3/1000", "/nowhere", "/"]
        client.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode() for path in paths))
        answers = [client.read_answer() for _ in paths]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404, 200]
    assert [len(answer.body) for answer in answers] == [6, 6, 100_000, 3000, 0, 6]


def test_a_thousand_pipelined_requests_in_one_write(site):
    server = site("hello:application")
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n" * 1000)
        for _ in range(1000):
            assert client.read_answer().body == b"hello\n"
        assert client.get("/").status == 200


def test_byte_by_byte(site):
    server = site("upload:application")
    with server.client() as client:
        for (
            byte
        ) in b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n":
            client.send(bytes([byte]))
        assert client.read_answer().body == b"abcde"


def test_a_half_closed_request_is_answered(site):
    server = site("service:app")
    with server.client() as client:
        client.send(b"GET /sleep/0.2 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.half_close()
        assert client.read_answer().body == b"slept\n"
        assert client.ended()


def test_204_and_304_have_no_body(site):
    server = site("validated:application")
    with server.client() as client:
        answer = client.get("/none")
        assert answer.status == 204
        assert answer.header("content-length") is None
        assert answer.header("transfer-encoding") is None
        assert client.get("/").body == b"hello\n"


def test_an_own_date_is_kept(site):
    answer = site("service:app").fetch("/date")
    assert answer.header("date") == "Thu, 01 Jan 1970 00:00:00 GMT"

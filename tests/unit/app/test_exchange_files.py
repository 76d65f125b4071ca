"""Files through ``wsgi.file_wrapper``: as a file where it is one, by its blocks where it is not."""

from __future__ import annotations

import errno
import gzip
import os

import pytest

from tests.apps import files
from tests.support.outlet import RecordingOutlet, make_exchange, serve

CONTENT = bytes(range(256)) * 40  # 10,240 bytes


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "file"
    made.write_bytes(CONTENT)
    return made


def test_a_file_goes_as_a_file_with_its_length(path):
    outlet = serve(files.application, query=f"path={path}")
    assert outlet.calls == ["start", "send_file", "finish"]
    assert outlet.headers["Content-Length"] == "10240"
    assert outlet.body == CONTENT


def test_from_its_position_on(path):
    outlet = serve(files.application, query=f"path={path}&offset=10000")
    assert outlet.headers["Content-Length"] == "240"
    assert outlet.body == CONTENT[10_000:]


def test_only_as_far_as_content_length(path):
    outlet = serve(files.application, query=f"path={path}&offset=100&length=50")
    assert outlet.calls == ["start", "send_file", "finish"]
    assert outlet.body == CONTENT[100:150]


def test_a_file_that_is_too_short(path, caplog):
    outlet = serve(files.application, query=f"path={path}&offset=10000&length=300")
    assert (outlet.calls, outlet.status) == (["whole"], 500)
    assert "60 bytes shorter than its Content-Length" in caplog.text


@pytest.mark.parametrize("length", ["", "&length=0"])
def test_an_empty_file(tmp_path, length):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    outlet = serve(files.application, query=f"path={empty}{length}")
    assert outlet.calls == ["whole"]
    assert outlet.body == b""


def test_nothing_is_left_of_the_file(path):
    outlet = serve(files.application, query=f"path={path}&offset=20000")
    assert outlet.calls == ["whole"]
    assert outlet.headers["Content-Length"] == "0"


def test_head_announces_the_file(path):
    outlet = serve(files.application, query=f"path={path}", method="HEAD")
    assert outlet.calls == ["start", "finish"]
    assert outlet.headers["Content-Length"] == "10240"


def test_not_modified_has_no_file(path):
    def application(environ, start_response):
        start_response("304 Not Modified", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    outlet = serve(application)
    assert outlet.calls == ["start", "finish"]
    assert outlet.headers == {}


def test_what_is_no_file_goes_by_its_blocks():
    outlet = serve(files.application, "/memory")
    assert outlet.calls == ["start", "send", "send", "send", "send", "finish"]
    assert {len(part) for part in outlet.parts[:-1]} == {4096}
    assert outlet.body == b"0123456789" * 2000


def test_what_reads_something_else_than_its_descriptor_goes_by_its_blocks(tmp_path):
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(CONTENT))
    assert serve(files.application, "/gzip", query=f"path={packed}").body == CONTENT


def test_middleware_around_the_wrapper_gets_blocks(path):
    outlet = serve(files.application, "/wrapped", query=f"path={path}")
    assert outlet.calls == ["start", "send", "send", "finish"]
    assert outlet.body == CONTENT


def test_a_file_behind_what_was_written(path):
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"before ")
        return environ["wsgi.file_wrapper"](path.open("rb"))

    outlet = serve(application)
    assert outlet.calls == ["start", "send_file", "finish"]
    assert outlet.body == b"before " + CONTENT


def test_a_file_behind_what_was_written_with_a_length(path, caplog):
    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Length", environ["QUERY_STRING"])])
        write(b"before ")
        return environ["wsgi.file_wrapper"](path.open("rb"))

    assert serve(application, query="17").body == b"before " + CONTENT[:10]
    assert serve(application, query="7").calls == ["whole"]
    assert not caplog.records
    outlet = serve(application, query="20000")
    assert outlet.calls == ["start", "send_file", "abort"]
    assert "9753 bytes shorter" in caplog.text


def test_the_file_is_closed_and_its_descriptor_is_the_receivers(path):
    opened = []

    class Later(RecordingOutlet):
        def send_file(self, fd, offset, count):
            self.kept = fd, offset, count
            self.calls.append("send_file")

    def application(environ, start_response):
        start_response("200 OK", [])
        opened.append(path.open("rb"))
        return environ["wsgi.file_wrapper"](opened[0])

    outlet = Later()
    make_exchange(application, outlet).step()
    assert opened[0].closed
    fd, offset, count = outlet.kept
    assert os.pread(fd, count, offset) == CONTENT
    os.close(fd)


def test_no_descriptor_is_left_for_the_receiver(path, monkeypatch, caplog):
    def no_more(_fd):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("hybridd.app.answer.os.dup", no_more)
    outlet = serve(files.application, query=f"path={path}")
    assert (outlet.calls, outlet.status) == (["whole"], 500)
    assert "Too many open files" in caplog.text


def test_a_wrapper_around_a_closed_file(path, caplog):
    def application(environ, start_response):
        file = path.open("rb")
        file.close()
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    assert serve(application).status == 500
    assert "ValueError" in caplog.text


def test_a_wrapper_without_start_response(path, caplog):
    assert serve(lambda environ, _: environ["wsgi.file_wrapper"](path.open("rb"))).status == 500
    assert "before it called start_response" in caplog.text

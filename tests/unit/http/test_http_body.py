"""Bodies in memory and in files."""

from __future__ import annotations

import tempfile

from hybridd.http.body import NO_BODY, Body


def test_a_body_in_memory():
    body = Body([b"one", b"two"])
    assert body.length == 6
    assert body.open().read() == b"onetwo"
    assert body.open().read() == b"onetwo"
    body.close()
    body.close()
    assert body.open().read() == b""


def test_a_body_in_a_file_is_read_from_its_beginning():
    body = Body()
    body.file = tempfile.TemporaryFile()  # noqa: SIM115  # the body closes it
    body.file.write(b"stored")
    body.length = 6
    with body.open() as file:
        assert file.read() == b"stored"
        assert repr(body) == "<Body 6 bytes in a file>"
        body.close()
        assert file.closed
    body.close()


def test_no_body_is_shared_and_empty():
    assert NO_BODY.open().read() == b""
    assert NO_BODY.open() is not NO_BODY.open()
    NO_BODY.close()
    assert NO_BODY.length == 0
    assert repr(NO_BODY) == "<Body 0 bytes>"

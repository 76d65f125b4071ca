"""Reading files: bounded, regular, UTF-8."""

from __future__ import annotations

import os

import pytest

from hybridd.config.files import LONGEST, UnreadableError, files_of, read_text
from hybridd.config.problem import Mark


def refusal(path):
    with pytest.raises(UnreadableError) as caught:
        read_text(path)
    return str(caught.value), caught.value.mark


def test_a_text_is_read(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9\r\n")
    assert read_text(tmp_path / "f") == "café\r\n"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "link").symlink_to("f")
    assert read_text(tmp_path / "link") == "x"


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path / "fifo")[0] == "cannot read it: not a regular file"
    assert refusal(tmp_path / "none")[0] == "cannot read it: No such file or directory"
    assert refusal(tmp_path)[0] == "cannot read it: Is a directory"
    assert "cannot read it" in refusal(tmp_path / "a\0b")[0]


def test_a_file_has_a_longest_length(tmp_path):
    (tmp_path / "f").write_bytes(b"#" * LONGEST)
    assert len(read_text(tmp_path / "f")) == LONGEST
    (tmp_path / "f").write_bytes(b"#" * (LONGEST + 1))
    assert refusal(tmp_path / "f")[0] == "expected at most 256KiB, got more"


def test_what_is_not_utf8_is_told_with_its_place(tmp_path):
    (tmp_path / "f").write_bytes(b"a: b\nc: d\xff\n")
    assert refusal(tmp_path / "f") == ("expected UTF-8 text, got the byte 0xff", Mark(2, 5))
    (tmp_path / "f").write_bytes("a: b".encode("utf-16"))
    assert refusal(tmp_path / "f") == ("expected UTF-8 text, got the byte 0xff", Mark(1, 1))


def test_a_directory_gives_its_yaml_files_in_order_and_what_looks_forgotten(tmp_path):
    for name in ("20-b.yaml", "10-a.yaml", ".hidden.yaml", "30.yml", "README", "40.yaml~"):
        (tmp_path / name).touch()
    assert files_of(tmp_path) == (["10-a.yaml", "20-b.yaml"], ["30.yml"])

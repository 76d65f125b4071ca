"""Temporary files, and what takes their place where no directory can be written."""

from __future__ import annotations

import errno
import os
import tempfile

import pytest

from hybridd.worker.temporary import temporary_file


def test_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_file() as file:
        file.write(b"x" * 5)
        assert os.fstat(file.fileno()).st_dev == tmp_path.stat().st_dev
        assert list(tmp_path.iterdir()) == []


def test_memory_where_no_directory_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    with temporary_file() as file:
        assert os.readlink(f"/proc/self/fd/{file.fileno()}").startswith("/memfd:hybridd spool")  # noqa: PTH115
        assert not os.get_inheritable(file.fileno())
        file.write(b"hello")
        assert os.pread(file.fileno(), 10, 0) == b"hello"


def test_a_full_disk_is_no_reason_to_fill_the_memory(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left"):
        temporary_file()

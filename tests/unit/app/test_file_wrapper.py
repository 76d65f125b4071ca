from __future__ import annotations

import gzip
import io
import os
import tempfile
from pathlib import Path

import pytest

from hybridd.app.file_wrapper import AHEAD, FileWrapper, Region, read_in


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "file"
    made.write_bytes(b"0123456789")
    return made


def test_it_iterates_over_blocks():
    assert list(FileWrapper(io.BytesIO(b"0123456789"), 4)) == [b"0123", b"4567", b"89"]
    assert list(FileWrapper(io.BytesIO(b""), 4)) == []


def test_it_closes_what_it_wraps():
    file = io.BytesIO(b"x")
    FileWrapper(file).close()
    assert file.closed


def test_it_has_no_close_when_what_it_wraps_has_none():
    class Reader:
        def read(self, _size):
            return b""

    assert not hasattr(FileWrapper(Reader()), "close")


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_file_is_a_region_from_its_position_on(path, buffering):
    with path.open("rb", buffering=buffering) as file:
        file.read(3)  # a buffered reader has read all: its descriptor stands at the end
        region = FileWrapper(file).region()
        assert (region.offset, region.count) == (3, 7)
        assert os.pread(region.fd, region.count, region.offset) == b"3456789"


def test_a_file_at_or_beyond_its_end_is_an_empty_region(path):
    with path.open("rb") as file:
        file.seek(50)
        assert FileWrapper(file).region().count == 0


def test_a_temporary_file_with_unwritten_bytes_is_a_region_of_all():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"written")
        file.seek(0)
        file.seek(7)
        file.write(b" later")
        file.seek(2)
        region = FileWrapper(file).region()
        assert os.pread(region.fd, region.count, region.offset) == b"itten later"


def test_a_file_whose_descriptor_is_not_what_it_reads_is_no_region(tmp_path):
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(b"unpacked"))
    with gzip.open(packed) as file:
        assert isinstance(file.fileno(), int)
        wrapper = FileWrapper(file)
        assert wrapper.region() is None
        assert b"".join(wrapper) == b"unpacked"


def test_text_files_and_memory_are_no_regions(path):
    with path.open() as text:
        assert FileWrapper(text).region() is None
    assert FileWrapper(io.BytesIO(b"x")).region() is None


def test_what_is_not_a_regular_file_is_no_region():
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as file:  # noqa: PTH123 - a descriptor
        os.close(write_end)
        assert FileWrapper(file).region() is None
    with Path("/proc/self/stat").open("rb") as file:  # says that it is empty, and is not
        assert FileWrapper(file).region() is None


def test_a_closed_file_is_an_error(path):
    with path.open("rb") as file:
        pass
    with pytest.raises(ValueError, match="closed"):
        FileWrapper(file).region()


MIB = 1 << 20


@pytest.mark.parametrize(
    ("region", "cold", "reads"),
    [
        (Region(0, 0, 3 * MIB), (), [(0, 1), (MIB, 1), (2 * MIB, 1)]),
        (Region(0, 7, 10), (), [(7, 1)]),
        (Region(0, 7, 10), (7,), [(7, 1), (7, MIB)]),
        (Region(0, 0, 3 * MIB), (MIB,), [(0, 1), (MIB, 1), (MIB, MIB), (2 * MIB, MIB)]),
        (Region(0, 5, 2 * MIB), (5, 5 + MIB), [(5, 1), (5, MIB), (5 + MIB, MIB)]),
        (Region(0, 50, 0), (), []),
    ],
    ids=["in memory", "little", "little and cold", "cold from here on", "cold", "nothing"],
)
def test_what_is_not_in_memory_is_read_from_there_on(region, cold, reads):
    """A disk takes 5 ms for what memory has in 1 µs."""
    done = []

    def read(offset, size):
        done.append((offset, size))
        return 0.005 if offset in cold else 1e-6

    read_in(region, read)
    assert done == reads


@pytest.mark.parametrize("seconds", [1e-6, 0.005])
def test_of_a_very_long_file_only_the_beginning_is_read_before_it_is_sent(seconds):
    places = set()

    def read(offset, _size):
        places.add(offset)
        return seconds

    read_in(Region(0, 3, 1 << 40), read)
    assert max(places) < 3 + AHEAD
    assert len(places) == AHEAD / MIB


def test_a_file_that_became_shorter_meanwhile_is_the_senders_trouble(path):
    with path.open("rb") as file:
        wrapper = FileWrapper(file)
        os.truncate(path, 1)
        assert wrapper.region().count == 1

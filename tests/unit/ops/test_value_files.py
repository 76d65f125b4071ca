"""The files of prometheus_client: written by the library, read by us, and the other way round; also broken ones."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.mmap_dict import MmapedDict

from hybridd.ops.value_files import Contents, Name, bytes_in_use, pack, parse, parse_name
from tests.support.value_files import Process

KEY = b'["jobs", "jobs_total", {}, "Help."]'


def test_what_the_library_writes_is_read(tmp_path):
    process = Process(tmp_path, 7).count(3.5).count(2, kind="a longer one, with spaces and ü")
    contents = parse(process.file("counter").read_bytes())
    assert contents.sound
    assert [(value, stamp) for _, value, stamp in contents.entries] == [(3.5, 0.0), (2.0, 0.0)]
    assert contents.entries[0][0] == KEY


@given(st.lists(st.tuples(st.text(min_size=1).map(str.encode), st.floats(allow_nan=False), st.floats(0, 9e9))))
def test_what_we_write_is_read_by_us_and_by_the_library(entries):
    data = pack(entries, [("counter_7.db", 12, 34)])
    contents = parse(data)
    assert contents.sound
    assert list(contents.entries) == entries
    assert contents.taken_in == {("counter_7.db", 12, 34)}


def test_the_library_reads_what_we_write(tmp_path):
    path = tmp_path / "counter_retired.db"
    path.write_bytes(pack([(KEY, 5.0, 0.0), (KEY + b" ", 6.0, 1.0)], [("counter_7.db", 12, 34)]))
    read = [(key, value) for key, value, *_ in MmapedDict.read_all_values_from_file(str(path))]
    assert read == [(KEY.decode(), 5.0), (KEY.decode() + " ", 6.0)]


def test_a_file_that_was_just_made_is_empty_and_sound():
    assert parse(b"").sound
    assert parse(bytes(65_536)).sound
    assert not parse(b"").entries
    assert bytes_in_use(b"") == 0


WHOLE = pack([(KEY, 5.0, 0.0), (KEY + b"2", 6.0, 0.0)])
EMPTY = pack([]).removesuffix(b"[]")
FIRST = len(pack([(KEY, 5.0, 0.0)])) - len(b"[]")


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (b"\x01", 0),
        (WHOLE[: FIRST + 20], 1),  # cut in the second entry
        (struct.pack("i", 1 << 30) + WHOLE[4:-2], 2),  # says that more is in use than there is
        (struct.pack("i", -5) + WHOLE[4:], 0),
        (WHOLE[:FIRST] + struct.pack("i", -1) + WHOLE[FIRST + 4 :], 1),  # a length that cannot be
        (WHOLE[:FIRST] + struct.pack("i", 1 << 30) + WHOLE[FIRST + 4 :], 1),
    ],
)
def test_a_broken_file_is_read_as_far_as_it_goes(data, entries):
    contents = parse(data)
    assert not contents.sound
    assert len(contents.entries) == entries


@given(st.binary(max_size=400))
@example(b"[\0\0\0\0\0\0\0")
def test_no_bytes_raise(data):
    parse(data)
    parse(struct.pack("i4x", len(data)) + data)
    parse(EMPTY + b"[" + data)


@pytest.mark.parametrize(
    "trailer",
    [
        b"[" * 200_000,
        b"[[",
        b"[7]",
        b"[[1, 2]]",
        b"[[[], 1, 2]]",
        b'[["counter_7.db", NaN, 34]]',
        b'[["counter_7.db", 12, {}]]',
        b'[["counter_7.db", 12, ' + b"9" * 5_000 + b"]]",
        b'[["\xff\xff", 12, 34]]',
    ],
    ids=lambda trailer: ascii(trailer[:24]),
)
def test_what_is_no_list_of_ours_names_no_file(trailer):
    contents = parse(EMPTY + trailer)
    assert contents.sound
    assert not contents.taken_in


def test_an_entry_that_is_not_announced_yet_is_no_list_of_ours():
    """The library writes an entry of 91 bytes, ``[`` and zeros, and then that it is in use."""
    key = KEY + b" " * (ord("[") - len(KEY))
    whole = pack([(KEY, 5.0, 0.0), (key, 6.0, 0.0)]).removesuffix(b"[]")
    contents = parse(pack([(KEY, 5.0, 0.0)])[:8] + whole[8:])
    assert contents == Contents([(KEY, 5.0, 0.0)])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("counter_4711.db", Name("counter", "4711")),
        ("gauge_livemostrecent_12.db", Name("gauge_livemostrecent", "12")),
        ("histogram_retired.db", Name("histogram", "retired")),
        ("gauge_12.db", None),
        ("info_12.db", None),
        ("counter_12.db.new", None),
        ("lock", None),
    ],
)
def test_names(text, name):
    assert parse_name(text) == name


def test_who_writes_a_file():
    assert Name("counter", "4711").pid == 4711
    assert Name("counter", "retired").pid == 0
    assert Name("counter", "worker-1").pid == 0

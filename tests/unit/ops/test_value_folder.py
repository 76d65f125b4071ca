"""The folder of the values: where it is made, who holds it, when it goes."""

from __future__ import annotations

import pytest

from hybridd.ops import value_folder
from hybridd.ops.value_folder import PREFIX, VARIABLE, Place, choose, find, hold, is_name, make, mark_dead, sweep


@pytest.fixture
def place(tmp_path):
    return Place(f"{PREFIX}1", (str(tmp_path / "not there"), str(tmp_path)))


def test_memory_comes_before_disk():
    assert choose({}).parents[0] == "/dev/shm"
    assert choose({"RUNTIME_DIRECTORY": "/run/hybridd:/run/other"}).parents == ("/run/hybridd", "/dev/shm", "/tmp")
    assert choose({"TMPDIR": "/nowhere/to/write"}).parents == ("/dev/shm", "/nowhere/to/write")


def test_a_name_is_its_own_or_that_of_the_master_before():
    assert choose({}).name != choose({}).name
    assert is_name(choose({}).name)
    assert choose({}, f"{PREFIX}1").name == f"{PREFIX}1"
    assert not is_name(f"{PREFIX}/../../etc")
    assert not is_name("etc")


@pytest.mark.parametrize("variable", [VARIABLE, VARIABLE.lower()])
def test_a_folder_of_the_operator_is_his(variable):
    assert choose({variable: "/var/lib/metrics"}).parents == ()


def test_it_is_made_where_it_can_be_once_and_for_us_alone(place, tmp_path):
    assert find(place) == ""
    first, second = make(place), make(place)
    assert find(place) == first.path == second.path == str(tmp_path / place.name)
    assert (tmp_path / place.name).stat().st_mode & 0o777 == 0o700
    first.release()
    second.release()


def test_no_place_is_an_error_that_names_the_last_one(tmp_path):
    with pytest.raises(OSError, match="No such file") as error:
        make(Place("x", (str(tmp_path / "a"), str(tmp_path / "b"))))
    assert error.value.filename == str(tmp_path / "b" / "x")


def test_what_somebody_else_has_put_there_is_not_used(place, tmp_path):
    (tmp_path / place.name).symlink_to("/tmp")
    assert find(place) == ""
    (tmp_path / place.name).unlink()
    (tmp_path / place.name).mkdir(mode=0o755)
    (tmp_path / place.name).chmod(0o777)
    assert find(place) == ""
    with pytest.raises(OSError, match=place.name):
        make(place)


def test_the_last_one_removes_it(place, tmp_path):
    first, second = make(place), make(place)
    (tmp_path / place.name / "counter_1.db").touch()
    assert sweep(place.parents) == []
    assert not first.leave()
    assert find(place)
    assert second.leave()
    assert find(place) == ""
    assert hold(str(tmp_path / place.name)) is None


def test_a_hold_is_renewed_and_survives_a_folder_that_is_gone(place):
    held = make(place)
    held.renew()
    assert sweep(place.parents) == []
    value_folder.shutil.rmtree(held.path)
    held.renew()
    held.release()
    held.release()


def test_what_nobody_holds_is_swept(place, tmp_path):
    make(place).release()
    (tmp_path / "else").mkdir()
    assert sweep(place.parents) == [str(tmp_path / place.name)]
    assert [path.name for path in tmp_path.iterdir()] == ["else"]


def test_the_dead_take_their_live_gauges_with_them(tmp_path):
    names = ("gauge_livesum_7.db", "gauge_all_7.db", "gauge_livesum_8.db", "gauge_sum_7.db", "counter_7.db")
    for name in names:
        (tmp_path / name).touch()
    mark_dead(str(tmp_path), 7)
    mark_dead("", 7)
    assert {path.name for path in tmp_path.iterdir()} == set(names[2:])

"""What waits for an import of prometheus_client; the import itself is for real processes (test_application_metrics)."""

from __future__ import annotations

import os
import sys

import prometheus_client
import pytest

from hybridd.ops.value_folder import VARIABLE, Place, find
from hybridd.worker.multiprocess_mode import arrange


@pytest.fixture(autouse=True)
def _modules(monkeypatch):
    """Put back what is forgotten."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == prometheus_client.__name__]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])


@pytest.mark.parametrize("place", [None, Place("x", ())])
def test_nothing_is_arranged_where_it_is_not_wanted(place):
    before = list(sys.meta_path)
    arrange(place, 1)
    assert sys.meta_path == before
    assert prometheus_client.__name__ in sys.modules


def test_the_copy_of_the_master_is_forgotten_and_other_imports_go_by(tmp_path):
    place = Place("x", (str(tmp_path),))
    arrange(place, 1)
    assert not [name for name in sys.modules if name.startswith(prometheus_client.__name__)]
    watch = sys.meta_path[0]
    assert watch.find_spec("prometheus_client_of_somebody_else") is None
    assert sys.meta_path[0] is watch
    assert find(place) == ""


def test_what_the_application_has_set_itself_is_left_to_it(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setenv(VARIABLE, "/its/own")
    place = Place("x", (str(tmp_path),))
    arrange(place, 1)
    watch = sys.meta_path[0]
    assert watch.find_spec("prometheus_client") is None
    assert watch not in sys.meta_path
    assert find(place) == ""
    assert os.environ[VARIABLE] == "/its/own"
    assert "the application has set PROMETHEUS_MULTIPROC_DIR itself" in caplog.text


def test_without_a_place_the_application_is_imported_all_the_same(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv(VARIABLE, raising=False)
    arrange(Place("x", (str(tmp_path / "not there"),)), 1)
    assert sys.meta_path[0].find_spec("prometheus_client") is None
    assert VARIABLE not in os.environ
    assert "there is no place for their files" in caplog.text
    assert "not there/x: No such file or directory" in caplog.text

"""HUP is a transaction: the new code serves, or the old one goes on as if nothing had happened.

Bytecode caching is on, as in production, so the sources differ in size: Python trusts a cached file whose source has
the same size and the same second.
"""

from __future__ import annotations

import signal

from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.waiting import wait_until


def write_version(folder, version, extra=""):
    folder.mkdir(exist_ok=True)
    padding = "#" * len(version) * 7 + "\n"
    (folder / "shop.py").write_text(f"""{padding}{extra}
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "{len(version)}")])
    return [b"{version}"]
""")


def shop(folder):
    return {"application": "shop:app", "chdir": str(folder)}


def start(serve, folder, settings=None):
    write_version(folder, "one")
    server = serve({**shop(folder), **(settings or {})})
    server.wait_workers(2)
    assert server.fetch("/").body == b"one"
    assert list(folder.glob("__pycache__/*.pyc")), "bytecode caching is off: this test would prove nothing"
    return server


def reload_result(server):
    return server.metrics().value("hybridd_config_last_reload_successful")


def test_new_code_serves_after_hup_and_no_request_fails(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    before = server.ready_pids()
    with Load(Plan(server.address, connections=8, think=0.002)) as load:
        write_version(tmp_path / "app", "two and longer")
        server.signal(signal.SIGHUP)
        server.wait_workers(2, without=before)
        load.wait_answered(100)
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    assert {server.fetch("/").body for _ in range(10)} == {b"two and longer"}
    assert reload_result(server) == 1


def test_broken_code_is_refused_and_the_old_workers_stay(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    before = server.ready_pids()
    with Load(Plan(server.address, connections=8, think=0.002)) as load:
        write_version(tmp_path / "app", "broken", extra="raise RuntimeError('broken on purpose')")
        server.signal(signal.SIGHUP)
        wait_until(lambda: reload_result(server) == 0, within=10, what="the reload is reported as failed")
        server.wait_workers(2)
        load.wait_answered(100)
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    assert server.ready_pids() == before
    assert "broken on purpose" in server.log()
    # Mended, it goes through.
    write_version(tmp_path / "app", "mended at last")
    server.signal(signal.SIGHUP)
    server.wait_workers(2, without=before)
    assert server.fetch("/").body == b"mended at last"
    assert reload_result(server) == 1


def test_a_new_generation_that_hangs_while_booting_is_given_up(serve, tmp_path):
    server = start(serve, tmp_path / "app", {"timeouts": {"boot": "1s"}})
    before = server.ready_pids()
    write_version(tmp_path / "app", "hanging", extra="import threading; threading.Event().wait()")
    server.signal(signal.SIGHUP)
    wait_until(lambda: reload_result(server) == 0, within=15, what="the reload is reported as failed")
    assert server.wait_workers(2) == before
    assert server.fetch("/").body == b"one"


def test_a_wrong_configuration_is_refused(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    before = server.ready_pids()
    server.configure({**shop(tmp_path / "app"), "wokers": 3})
    server.signal(signal.SIGHUP)
    wait_until(lambda: reload_result(server) == 0, within=10, what="the reload is reported as failed")
    server.wait_log(r"hybridd\.yaml:\d+:\d+: wokers")
    assert server.wait_workers(2) == before


def test_a_changed_number_of_workers_is_taken_over(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    server.configure({**shop(tmp_path / "app"), "workers": 3})
    server.signal(signal.SIGHUP)
    server.wait_workers(3)


def test_a_setting_that_needs_a_restart_is_named_and_left(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    address = server.address
    server.configure({**shop(tmp_path / "app"), "listen": ["127.0.0.1:0", "127.0.0.1:0"]})
    mark = len(server.log())
    server.signal(signal.SIGHUP)
    server.wait_log(r"\blisten\b", since=mark)
    server.wait_workers(2)
    assert server.addresses == [address]
    assert server.fetch("/").body == b"one"


def test_several_reloads_at_once_end_with_the_newest_code(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    before = server.ready_pids()
    for version in ("second", "third one", "the fourth version"):
        write_version(tmp_path / "app", version)
        server.signal(signal.SIGHUP)

    def settled():
        return {server.fetch("/").body for _ in range(6)} == {b"the fourth version"}

    wait_until(settled, within=20, what="the newest code serves")
    server.wait_workers(2, without=before)


def test_term_during_a_reload_stops_at_once(serve, tmp_path):
    server = start(serve, tmp_path / "app", {"timeouts": {"boot": "60s"}})
    seen = tmp_path / "seen"
    hang = f"import pathlib, threading; pathlib.Path({str(seen)!r}).touch(); threading.Event().wait()"
    write_version(tmp_path / "app", "hanging", extra=hang)
    server.signal(signal.SIGHUP)
    wait_until(seen.exists, within=10, what="the canary boots")
    server.stop(within=8)


def test_a_switched_symlink_is_seen(serve, tmp_path):
    write_version(tmp_path / "release1", "release one")
    write_version(tmp_path / "release2", "release number two")
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "release1")
    server = serve(shop(current))
    before = server.wait_workers(2)
    assert server.fetch("/").body == b"release one"
    (tmp_path / "next").symlink_to(tmp_path / "release2")
    (tmp_path / "next").replace(current)
    server.signal(signal.SIGHUP)
    server.wait_workers(2, without=before)
    assert server.fetch("/").body == b"release number two"


def test_systemd_hears_about_the_reload(serve, tmp_path):
    server = start(serve, tmp_path / "app")
    mark = server.notify.mark()
    before = server.ready_pids()
    server.signal(signal.SIGHUP)
    reloading = server.notify.wait_for("RELOADING", since=mark)
    assert int(reloading["MONOTONIC_USEC"]) > 0
    server.notify.wait_for("READY", since=mark)
    server.wait_workers(2, without=before)

"""A reload is a transaction: the new code serves, or the old one goes on as if nothing had happened."""

from __future__ import annotations

import errno
import signal
import socket

from tests.support.client import PATIENT, fetch
from tests.support.load import Plan
from tests.support.shop import CRASHES_LATER, RAISES, open_shop, reload_result, shop, write_version
from tests.support.traffic import Load
from tests.support.verbs import begin_verb, verb
from tests.support.waiting import wait_until


def test_hup_with_a_broken_configuration_or_application_changes_nothing(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app")
    before = server.ready_pids()
    good = server.config_file.read_text()
    server.config_file.write_text("workers: [2\n")
    server.signal(signal.SIGHUP)
    server.wait_log(r"reload refused, generation 1 goes on: .*hybridd\.yaml:1:10: not valid YAML")
    server.config_file.write_text(good)
    write_version(tmp_path / "app", "broken", extra=RAISES)
    server.signal(signal.SIGHUP)
    server.wait_log("reload refused, generation 1 goes on: .*RuntimeError: broken on purpose")
    assert reload_result(server) == 0
    assert server.wait_workers(2) == before
    assert server.fetch("/").body == b"one"
    write_version(tmp_path / "app", "mended at last")
    server.signal(signal.SIGHUP)
    server.wait_workers(2, without=before)
    assert server.fetch("/").body == b"mended at last"
    assert reload_result(server) == 1


def test_a_setting_that_needs_an_upgrade_is_named_and_nothing_is_applied(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app")
    server.configure({**shop(tmp_path / "app"), "admin": "off", "workers": 3})
    done = verb(server, "reload")
    assert done.returncode == 1
    assert "nothing is applied: a reload changes workers (2 to 3); admin (" in done.stderr
    assert "needs an upgrade or a restart" in done.stderr
    assert len(server.ready_pids()) == 2


def test_a_listener_is_added_and_another_one_removed_and_no_request_fails(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"listen": ["127.0.0.1:0", f"unix:{tmp_path}/old.sock"]})
    kept = server.address
    with (
        Load(Plan(kept, connections=4, think=0.002)) as load,
        Load(Plan(f"unix:{tmp_path}/old.sock", connections=4, think=0.002)) as old,
    ):
        server.configure({**shop(tmp_path / "app"), "listen": ["127.0.0.1:0", f"unix:{tmp_path}/new.sock"]})
        reloading = begin_verb(server, "reload")
        wait_until((tmp_path / "new.sock").exists, within=10, what="the new one is bound")
        assert old.stop().failed == 0
        out, err = reloading.communicate(timeout=30)
        assert (reloading.returncode, err) == (0, ""), out
        load.wait_answered(50)
        assert load.stop().failed == 0
    assert server.addresses == [kept, f"unix:{tmp_path}/new.sock"]
    assert fetch(f"unix:{tmp_path}/new.sock", "/").body == b"one"
    assert not (tmp_path / "old.sock").exists()
    wait_until(lambda: len(server.workers()) == 2, within=10, what="the old workers have left")


def test_a_removed_port_is_free_afterwards(serve, tmp_path):
    patient = {"shutdown": {"idle_grace": "8s"}}
    server = open_shop(serve, tmp_path / "app", {**patient, "listen": [f"unix:{tmp_path}/kept.sock", "127.0.0.1:0"]})
    host, _, port = server.addresses[1].rpartition(":")
    with socket.create_connection((host, int(port)), 5) as waiting:
        server.configure({**shop(tmp_path / "app"), **patient, "listen": [f"unix:{tmp_path}/kept.sock"]})
        assert verb(server, "reload").returncode == 0
        waiting.settimeout(PATIENT)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert waiting.recv(4096).startswith(b"HTTP/1.1 200")

    def refused():
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == errno.ECONNREFUSED

    wait_until(refused, within=10, what="the port is closed")


def test_a_new_address_that_is_taken_refuses_the_reload(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"listen": ["127.0.0.1:0"]})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = ["127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}"]
        server.configure({**shop(tmp_path / "app"), "listen": listen})
        done = verb(server, "reload")
    assert done.returncode == 1
    assert "nothing is applied: cannot listen on" in done.stderr
    assert server.fetch("/").body == b"one"


def test_several_reloads_at_once_end_with_the_newest_code(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app")
    before = server.ready_pids()
    for version in ("second", "third one", "the fourth version"):
        write_version(tmp_path / "app", version)
        server.signal(signal.SIGHUP)

    def settled():
        return {server.fetch("/").body for _ in range(6)} == {b"the fourth version"}

    wait_until(settled, within=20, what="the newest code serves")
    server.wait_workers(2, without=before)


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
    server = open_shop(serve, tmp_path / "app")
    mark = server.notify.mark()
    before = server.ready_pids()
    server.signal(signal.SIGHUP)
    reloading = server.notify.wait_for("RELOADING", since=mark)
    assert int(reloading["MONOTONIC_USEC"]) > 0
    server.notify.wait_for("READY", since=mark)
    server.wait_workers(2, without=before)


def test_workers_that_crash_while_they_replace_the_old_ones_are_undone(serve, tmp_path):
    listen = ["127.0.0.1:0", f"unix:{tmp_path}/kept.sock"]
    settings = {"reload": {"settle": "1s"}, "listen": listen}
    server = open_shop(serve, tmp_path / "app", settings)
    before = server.ready_pids()
    server.configure({**shop(tmp_path / "app"), **settings, "listen": [listen[0], f"unix:{tmp_path}/new.sock"]})
    with Load(Plan(server.address, connections=8, think=0.002)) as load:
        write_version(tmp_path / "app", "doomed", extra=CRASHES_LATER.format(seconds=1.6))
        done = verb(server, "reload")
        assert done.returncode == 1
        assert "exited with status 3" in done.stderr
        server.wait_workers(2)
        load.wait_answered(100)
        tally = load.stop()
    assert server.ready_pids() == before, "the old workers were not called back"
    # Who had a request with the worker that died may have lost it: that is the crash, and not the reload.
    assert set(tally.failures) <= {"closed without an answer", "receiving: ECONNRESET", "sending: ECONNRESET"}
    assert server.fetch("/").body == b"one"
    assert fetch(listen[1], "/").body == b"one"
    assert not (tmp_path / "new.sock").exists()
    status = server.status()
    assert [listener["name"] for listener in status["listeners"]] == listen
    assert status["state"] == "degraded"
    assert "generation 1 cannot be re-created" in status["degraded"]
    assert "generation 1 cannot be re-created" in verb(server, "scale", "3").stderr
    write_version(tmp_path / "app", "mended at last")
    server.configure({**shop(tmp_path / "app"), "listen": listen})
    assert verb(server, "reload").returncode == 0
    assert server.status()["state"] == "running"
    assert verb(server, "scale", "3").returncode == 0


def test_the_old_workers_stay_until_the_new_ones_have_settled(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"reload": {"settle": "1500ms"}})
    before = server.ready_pids()
    write_version(tmp_path / "app", "two and longer")
    reloading = begin_verb(server, "reload")

    def retired():
        return [worker["pid"] for worker in server.workers() if worker["state"] == "retired"] == before

    wait_until(retired, within=20, what="both old workers are retired")
    assert server.fetch("/").body == b"two and longer"
    assert reloading.poll() is None, "the verdict came before the new ones had settled"
    assert server.status()["state"] == "reloading"
    out, err = reloading.communicate(timeout=20)
    assert (reloading.returncode, err) == (0, ""), out
    server.wait_workers(2, without=before)


def test_more_listeners_may_go_at_once_than_a_word_has_bits(serve, tmp_path):
    many = [tmp_path / f"{number}.sock" for number in range(70)]
    server = open_shop(serve, tmp_path / "app", {"listen": ["127.0.0.1:0", *(f"unix:{path}" for path in many)]})
    server.configure({**shop(tmp_path / "app"), "listen": ["127.0.0.1:0"]})
    done = verb(server, "reload")
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(lambda: not any(path.exists() for path in many), within=10, what="their files are gone")
    assert server.fetch("/").body == b"one"


def test_a_reload_may_replace_several_at_a_time(serve, tmp_path):
    write_version(tmp_path / "app", "one")
    server = serve({**shop(tmp_path / "app"), "workers": 4, "reload": {"surge": 4}})
    before = server.wait_workers(4)
    assert verb(server, "reload").returncode == 0
    server.wait_workers(4, without=before)


def test_a_stop_during_the_replacement_stops_everybody(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"reload": {"settle": "60s"}})
    reloading = begin_verb(server, "reload")
    wait_until(lambda: server.status()["trial"], within=10, what="the canary is on trial")
    server.stop(within=8)
    _, err = reloading.communicate(timeout=10)
    assert reloading.returncode == 1
    assert "the reload is given up" in err

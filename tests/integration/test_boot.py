"""Starting: ready means serving, and every reason for not starting has its sentence and its exit code."""

from __future__ import annotations

import re
import socket

import pytest

from tests.support.command import hybridd
from tests.support.waiting import wait_until


def application(folder, source, name="shop"):
    """Write a module; return the settings that serve its ``app``."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(source)
    return {"application": f"{name}:app", "chdir": str(folder)}


HELLO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return [b"hi\\n"]
"""


def test_without_an_application_the_welcome_application_is_served(serve):
    answer = serve().fetch("/")
    assert answer.status == 200
    assert "hybridd" in answer.text


def test_an_application_of_a_folder_is_served(serve, tmp_path):
    server = serve(application(tmp_path / "app", HELLO))
    assert server.fetch("/").body == b"hi\n"


def test_ready_is_said_when_the_application_is_loaded_and_not_before(serve, tmp_path):
    gate = tmp_path / "gate"
    source = f"""
import pathlib, time
pathlib.Path({str(gate)!r} + ".seen").touch()
while not pathlib.Path({str(gate)!r}).exists():
    time.sleep(0.01)
{HELLO}"""
    server = serve(application(tmp_path / "app", source), wait=False)
    wait_until((tmp_path / "gate.seen").exists, within=10, what="the application is being loaded")
    readiness = server.ask_admin("/readyz")
    assert readiness.status == 503
    assert server.notify.find(lambda message: "READY" in message) is None
    gate.touch()
    server.wait_ready()
    wait_until(lambda: server.ask_admin("/readyz").status == 200, within=5, what="/readyz says 200")
    assert server.fetch("/").body == b"hi\n"


def test_a_misspelt_module_is_told_apart_from_a_broken_one(serve, tmp_path):
    settings = application(tmp_path / "app", HELLO)
    server = serve({**settings, "application": "shpo:app"}, wait=False)
    assert server.wait_ended() == 70
    assert "shpo" in server.log()
    assert "Traceback" not in server.log()


def test_a_misspelt_attribute_names_the_one_that_was_meant(serve, tmp_path):
    settings = application(tmp_path / "app", HELLO)
    server = serve({**settings, "application": "shop:ap"}, wait=False)
    assert server.wait_ended() == 70
    assert re.search(r"did you mean .?app\b", server.log())
    assert "Traceback" not in server.log()


def test_an_application_that_raises_while_importing_ends_with_its_traceback(serve, tmp_path):
    settings = application(tmp_path / "app", "import shop_settings_that_do_not_exist\n" + HELLO)
    server = serve(settings, wait=False)
    assert server.wait_ended() == 70
    assert "Traceback" in server.log()
    assert re.search(r"^  \|   File .*shop\.py.{1,3} line 1", server.log(), re.MULTILINE)
    assert "shop_settings_that_do_not_exist" in server.log()


def test_an_application_that_never_finishes_loading_ends_after_the_boot_timeout(serve, tmp_path):
    source = "import threading\nthreading.Event().wait()\n" + HELLO
    settings = application(tmp_path / "app", source)
    server = serve({**settings, "workers": 1, "timeouts": {"boot": "1s"}}, wait=False)
    assert server.wait_ended() == 70


@pytest.mark.parametrize("key", ["listen", "admin"])
def test_an_address_in_use_is_named(serve, key):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = serve({key: [address] if key == "listen" else address}, wait=False)
        assert server.wait_ended() == 69
    assert address in server.log()
    assert "Traceback" not in server.log()


def test_a_wrong_configuration_lists_every_problem_and_starts_nothing(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:  # binding it would be another exit code
        listen = [f"127.0.0.1:{taken.getsockname()[1]}"]
        server = serve(
            {"listen": listen, "wokers": 3, "timeouts": {"head": "soon"}, "limits": {"body": -1}}, wait=False
        )
        assert server.wait_ended() == 78
    problems = [line for line in server.log().splitlines() if re.search(r"hybridd\.yaml:\d+:\d+: ", line)]
    assert len(problems) == 3
    assert any(
        "wokers" in line and "did you mean workers" in line.replace("'", "").replace("`", "") for line in problems
    )
    assert "Traceback" not in server.log()


def test_a_missing_configuration_file_is_a_configuration_error(tmp_path):
    done = hybridd("run", "-c", str(tmp_path / "nowhere.yaml"))
    assert done.returncode == 78
    assert "nowhere.yaml" in done.stderr


def test_an_unknown_flag_is_a_usage_error():
    done = hybridd("run", "--wrokers", "2")
    assert done.returncode == 2
    assert "--wrokers" in done.stderr


def test_a_unix_socket_is_served_and_removed_at_the_end(serve, tmp_path):
    path = tmp_path / "web.sock"
    server = serve({"listen": [f"unix:{path}", "127.0.0.1:0"]})
    assert server.addresses[0] == f"unix:{path}"
    for address in (0, 1):
        with server.client_of(address) as client:
            assert client.get("/").status == 200
    server.stop()
    assert not path.exists()


def test_an_inherited_descriptor_is_served(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = serve({"listen": [f"fd:{listener.fileno()}"]}, pass_fds=[listener.fileno()])
        assert server.fetch("/").status == 200
        server.stop()
        # It was ours: it still takes connections after hybridd left.
        with socket.create_connection(listener.getsockname(), 5):
            pass


def test_an_ipv6_address_is_served(serve):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    server = serve({"listen": ["[::1]:0"]})
    assert server.address.startswith("[::1]:")
    assert server.fetch("/").status == 200

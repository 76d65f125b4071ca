"""Root: hybridd serves as root only when it is told to, and says what else to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.command import hybridd
from tests.support.passage import is_root

ANYWHERE = ("run", "-b", "127.0.0.1:0", "--admin", "off", "-w", "1")
UNTOLD = "hybridd was started as root and is not told as whom to serve: name a user"


@pytest.fixture(autouse=True)
def _as_root():
    if not is_root():
        pytest.skip("only root is refused for being root")


@pytest.mark.parametrize("further", [(), ("--daemon",), ("--group", "daemon")])
def test_root_is_refused_with_what_to_do(further):
    done = hybridd(*ANYWHERE, *further, environment={"HYBRIDD_USER": ""})
    assert done.returncode == 78
    assert done.stderr.splitlines()[-1].startswith(f"hybridd: user: {UNTOLD} (--user NAME, ")


def test_a_file_that_leaves_the_user_open_is_named(serve):
    server = serve({"user": ""}, wait=False)
    assert server.wait_ended() == 78
    assert re.search(rf"^hybridd: {server.config_file}:\d+:\d+: user: {UNTOLD}", server.log(), re.MULTILINE)


@pytest.mark.parametrize("name", ["root", 0])
def test_root_that_is_named_serves_as_root(serve, name):
    server = serve({"user": name, "workers": 1})
    assert server.fetch("/").status == 200
    for pid in (server.pid, *server.wait_workers(1)):
        assert re.search(r"^Uid:\s+0\s+0\s+0\s+0$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)

"""docs/deploy/systemd.md, done: every command of the page, from its text, on a machine without hybridd."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.support.blocks import commands
from tests.support.load import Plan
from tests.support.machine import Machine, build_wheel
from tests.support.pages import ROOT
from tests.support.unit import Unit

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]

PAGE = commands((ROOT / "docs" / "deploy" / "systemd.md").read_text())
SOURCE = "/usr/local/src/hybridd"
NEXT = "9.9.9"  # the version that the page's upgrade finds


@pytest.fixture(scope="module")
def newer(source, tmp_path_factory):
    """A wheel of a later version."""
    folder = shutil.copytree(source, tmp_path_factory.mktemp("newer") / "source")
    version = folder / "hybridd" / "__init__.py"
    version.write_text(re.sub(r'(__version__.*=) ".*"', rf'\1 "{NEXT}"', version.read_text()))
    return build_wheel(tmp_path_factory.mktemp("wheel"), folder)


@pytest.fixture(scope="module")
def bare(machine, source, wheel):
    """A machine like the shared one, but bare; pip finds what it needs in a folder, and there the wheel of hybridd."""
    bare = Machine(f"hybridd-page-{os.getpid()}", machine.suite)
    try:
        bare.up()
        bare.copy(source, SOURCE)
        bare.copy(wheel, f"/root/wheels/{wheel.name}")
        bare.run(
            f"python3 -m venv /root/venv && /root/venv/bin/pip download -q -d /root/wheels /root/wheels/{wheel.name}"
            " 'setuptools>=77' && apt-get update -qq",
            outside_network=True,
        )
        for name in ("hybridd", "hybridd@"):
            Unit(bare, name).configure(HYBRIDD_RELOAD__SETTLE="200ms")  # the one wait that is shorter than a reader's
        yield bare
    finally:
        bare.down()


def follow(machine, heading):
    """Do what a section says."""
    assert PAGE[heading], f"{heading} has no commands"
    for block in PAGE[heading]:
        do(machine, block)


def do(machine, block):
    """Run one block as a reader does."""
    setting = "export PIP_NO_INDEX=1 PIP_FIND_LINKS=/root/wheels DEBIAN_FRONTEND=noninteractive"
    machine.run(
        f"cat > /root/block <<'END OF BLOCK'\n{block}\nEND OF BLOCK\n{setting}\nbash -euo pipefail /root/block",
        outside_network=block.startswith("apt-get "),
    )


def test_from_source_and_away_again(bare):
    files = "find /usr/local /etc/systemd /etc/hybridd -type f -not -path '/usr/local/src/*' 2>/dev/null || true"
    before = bare.output(files)
    tools, install, remove = PAGE["Install from source"]
    for block in (tools, "apt-get install -y logrotate", install):
        do(bare, block)
    bare.run("logrotate --debug /etc/logrotate.conf")  # has no mistake to tell every day
    for path in ("bash-completion/completions/hybridd", "zsh/site-functions/_hybridd", "man/man8/hybridd.8"):
        bare.run(f"test -f /usr/local/share/{path}")
    do(bare, remove)
    assert bare.output(files) == before


def test_a_package_names_nothing_of_where_it_was_staged(bare):
    do(bare, f"make -s -C {SOURCE} install DESTDIR=/root/stage prefix=/usr")
    assert bare.output("grep -rlIF /root/stage /root/stage || true") == ""
    assert bare.output("readlink /root/stage/usr/bin/hybridd") == "/usr/lib/hybridd/bin/hybridd"
    bare.run("rm -rf /root/stage")


def test_everything_else_in_the_order_of_the_page(bare, newer):
    unit = Unit(bare, port=80)
    done = [heading for heading, blocks in PAGE.items() if blocks and "source" not in heading]
    assert done[0] == "Install from a wheel"
    assert done[-1] == "Upgrade"
    for heading in done[:-1]:
        follow(bare, heading)
    assert (unit.show("ActiveState"), unit.show("NRestarts")) == ("active", "0")
    assert bare.output("stat -c %U /var/log/hybridd/access.log") == "hybridd"
    # The upgrade finds a newer version, and clients notice nothing of it.
    bare.copy(newer, f"/root/wheels/{newer.name}")
    with bare.load(Plan("127.0.0.1:80", connections=8, keep_alive=False, think=0.01)) as clients:
        follow(bare, "Upgrade")
        clients.wait_answered(20)
    assert clients.tally.failed == 0, clients.tally.failures
    assert f"hybridd {NEXT}" in bare.output("hybridd status")
    # What was enabled on the way is there after a reboot.
    bare.reboot()
    assert "hello from the shop" in unit.get()
    bare.run("systemctl start hybridd@blog")
    assert "hello from the shop" in bare.output("curl -sS --fail http://127.0.0.1:8081/")

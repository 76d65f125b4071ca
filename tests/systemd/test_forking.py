"""The classic way on a real machine: root starts a daemon that becomes www-data, on port 80, files in old places."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(400)]

GET = "curl -sS --max-time 5 http://127.0.0.1"
COMMAND = (
    "/opt/hybridd/bin/hybridd run --daemon --user www-data --pid-file /run/shop.pid -b 0.0.0.0:80 -w 2"
    " --chdir /srv/apps service:app --log-file /var/log/shop.log --access-log /var/log/shop/access.log"
)
UNIT = f"""\
[Service]
Type=forking
PIDFile=/run/shop.pid
ExecStart={COMMAND}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
"""


@pytest.fixture(autouse=True)
def _log_folder(machine):
    machine.run("install -d -o www-data -g www-data /var/log/shop")


def test_a_script_of_old(machine):
    machine.run(COMMAND)
    assert machine.output(f"{GET}/") == "hello"  # at once
    pid = machine.output("cat /run/shop.pid")
    user = machine.output("id -u www-data")
    assert machine.output(f"awk '/^Uid:/ {{ print $2, $3, $4, $5 }}' /proc/{pid}/status") == " ".join([user] * 4)
    again = machine.run(COMMAND, check=False)
    assert (again.returncode, again.stderr) == (
        71,
        f"hybridd: hybridd runs already with pid {pid} (pid_file /run/shop.pid); stop it first\n",
    )
    machine.run(f"mv /var/log/shop/access.log /var/log/shop/access.log.1; kill -USR1 {pid}")
    machine.wait(lambda: machine.output(f"{GET}/; cat /var/log/shop/access.log"), "the access log is made again")
    machine.run(f"kill {pid}")
    machine.wait(lambda: machine.run(f"test -d /proc/{pid}", check=False).returncode, "it ends")
    assert machine.output("cat /run/shop.pid") == ""


def test_a_forking_service(machine):
    machine.run(f"printf '%s' '{UNIT}' > /etc/systemd/system/shop.service && systemctl daemon-reload")
    machine.run("systemctl start shop")
    assert machine.output(f"{GET}/") == "hello"
    assert machine.show("shop", "MainPID") == machine.output("cat /run/shop.pid")
    machine.run("systemctl reload shop")
    machine.wait(lambda: "gen 2" in machine.output("ps -eo args"), "the reload")
    machine.run("systemctl stop shop")
    assert machine.show("shop", "Result") == "success"
    assert machine.show("shop", "MainPID") == "0"

"""Several instances side by side: each with its own file, listener, admin address, directories and user."""

from __future__ import annotations

import pytest

from tests.support.unit import Unit

pytestmark = [pytest.mark.systemd, pytest.mark.watchdog(300)]

FILES = """
for name in shop blog; do
    [ $name = shop ] && port=8081 admin=9816 || { port=8082; admin=9817; }
    printf 'listen: ["127.0.0.1:%s"]\\nadmin: 127.0.0.1:%s\\nworkers: 1\\nchdir: /srv/apps\\n' $port $admin \\
        > /etc/hybridd/$name.yaml
    printf 'application: service:app\\nreload: {settle: 200ms}\\n' >> /etc/hybridd/$name.yaml
done"""


def test_instances_are_strangers_to_each_other(unit):
    machine = unit.machine
    machine.run(FILES)
    shop, blog = Unit(machine, "hybridd@shop", 8081), Unit(machine, "hybridd@blog", 8082)
    machine.run("systemctl start hybridd hybridd@shop hybridd@blog")
    assert (shop.get(), blog.get()) == ("hello", "hello")
    assert "hybridd is running" in unit.get()
    for port in (9815, 9816, 9817):
        assert machine.output(f"curl -sS http://127.0.0.1:{port}/readyz").startswith("ready")
    users = machine.output(f"ps -o user:20= -p {shop.main_pid()},{blog.main_pid()}").split()
    assert sorted(users) == ["hybridd-blog", "hybridd-shop"]
    before = blog.get("/pid")
    machine.run("systemctl reload hybridd@shop")
    assert "generation 2" in shop.status()
    assert blog.get("/pid") == before
    machine.run("/opt/hybridd/bin/hybridd scale 2 --control /run/hybridd-blog/hybridd.ctl")
    assert blog.status().startswith("running: 2 of 2 workers ready, generation 1")
    assert shop.wait_said("reloaded: generation 2").identifier == "hybridd-shop"
    machine.run("systemctl stop hybridd@shop")
    shop.ended_well()
    assert blog.get() == "hello"


def test_an_instance_without_an_admin_address_of_its_own_says_so(unit):
    unit.machine.run("printf 'listen: [\"127.0.0.1:8083\"]\\n' > /etc/hybridd/twin.yaml; systemctl start hybridd")
    twin = Unit(unit.machine, "hybridd@twin", 8083)
    twin.configure("Restart=no")
    assert unit.machine.run("systemctl start hybridd@twin", check=False).returncode != 0
    assert twin.show("ExecMainStatus") == "69"
    twin.wait_said("127.0.0.1:9815")

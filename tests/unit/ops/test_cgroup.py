from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from hybridd.ops import cgroup
from hybridd.ops.cgroup import Group, locate, oom_kills, read_oom_kills

V2_CGROUP = "0::/system.slice/hybridd.service\n"
V2_MOUNTS = """\
24 1 254:1 / / rw,relatime - ext4 /dev/root rw
31 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
"""
V1_CGROUP = """\
11:memory:/docker/abc
4:cpu,cpuacct:/docker/abc
1:name=systemd:/docker/abc
0::/system.slice/containerd.service
"""
V1_MOUNTS = """\
31 24 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro master:11 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def group(version: int, directory: str, top: str) -> Group:
    return Group(version, PurePosixPath(directory), PurePosixPath(top))


def test_version_2():
    found = locate(V2_CGROUP, V2_MOUNTS, "cpu")
    assert found == group(2, "/sys/fs/cgroup/system.slice/hybridd.service", "/sys/fs/cgroup")
    assert [str(directory) for directory in found.ancestry()] == [
        "/sys/fs/cgroup/system.slice/hybridd.service",
        "/sys/fs/cgroup/system.slice",
        "/sys/fs/cgroup",
    ]


def test_version_2_in_a_container_with_its_own_namespace():
    found = locate("0::/\n", V2_MOUNTS, "memory")
    assert found == group(2, "/sys/fs/cgroup", "/sys/fs/cgroup")
    assert [str(directory) for directory in found.ancestry()] == ["/sys/fs/cgroup"]


def test_version_1_mounted_from_our_group_down():
    assert locate(V1_CGROUP, V1_MOUNTS, "cpu") == group(1, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct")


def test_version_1_mounted_from_the_root():
    assert locate(V1_CGROUP, V1_MOUNTS, "memory") == group(
        1, "/sys/fs/cgroup/memory/docker/abc", "/sys/fs/cgroup/memory"
    )


def test_a_controller_that_version_1_does_not_have_is_in_version_2():
    found = locate(V1_CGROUP, V1_MOUNTS, "io")
    assert found == group(2, "/sys/fs/cgroup/unified/system.slice/containerd.service", "/sys/fs/cgroup/unified")


def test_a_path_outside_of_what_is_mounted():
    mounts = "31 24 0:27 /other /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    assert locate(V2_CGROUP, mounts, "cpu") == group(2, "/sys/fs/cgroup", "/sys/fs/cgroup")
    assert locate("0::/../sibling\n", V2_MOUNTS, "cpu") == group(2, "/sys/fs/cgroup", "/sys/fs/cgroup")


@pytest.mark.parametrize(("cgroups", "mounts"), [("", ""), (V2_CGROUP, ""), ("", V2_MOUNTS), ("nonsense", "a - b\n\n")])
def test_nothing_to_find(cgroups, mounts):
    assert locate(cgroups, mounts, "cpu") is None


@pytest.mark.parametrize(
    ("text", "kills"),
    [
        ("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n", 2),  # v2 memory.events
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5),  # v1 memory.oom_control
        ("oom_kill_disable 0\nunder_oom 0\n", None),  # v1 before Linux 4.13
        ("", None),
        ("oom_kill many\n", None),
    ],
)
def test_kills_are_counted(text, kills):
    assert oom_kills(text) == kills


@pytest.mark.parametrize(
    ("cgroups", "mounts", "file", "text"),
    [
        (V2_CGROUP, V2_MOUNTS, "/sys/fs/cgroup/system.slice/hybridd.service/memory.events", "oom 3\noom_kill 2\n"),
        (V1_CGROUP, V1_MOUNTS, "/sys/fs/cgroup/memory/docker/abc/memory.oom_control", "under_oom 0\noom_kill 2\n"),
    ],
)
def test_the_counter_is_that_of_our_own_group(monkeypatch, cgroups, mounts, file, text):
    files = {"/proc/self/cgroup": cgroups, "/proc/self/mountinfo": mounts, file: text}
    monkeypatch.setattr(cgroup, "read_text", lambda path: files.get(str(path), ""))
    cgroup._oom_counter.cache_clear()
    assert read_oom_kills() == 2
    cgroup._oom_counter.cache_clear()

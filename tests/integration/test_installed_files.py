"""What is installed beside the program: manual pages without a warning, make install and uninstall."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.pages import ROOT
from tests.support.tools import require


@pytest.mark.parametrize("page", ["hybridd.8", "hybridd.yaml.5"])
def test_troff_has_nothing_to_say_of_the_manual_pages(page):
    groff = require("groff", "groff-base")
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", str(ROOT / "man" / page)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "HYBRIDD" in done.stdout


@pytest.mark.parametrize("page", ["hybridd.8", "hybridd.yaml.5"])
def test_mandoc_has_no_warning_of_them(page):
    done = subprocess.run(
        [require("mandoc"), "-T", "lint", "-W", "warning", str(ROOT / "man" / page)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if "missing date" not in line] == []  # it would be another one at every make docs


def test_make_install_puts_files_where_packagers_expect_them_and_uninstall_takes_them_back(tmp_path):
    """Without the program, which needs the network: tests/systemd installs that too."""
    make = [require("make"), "-s", "-C", str(ROOT), f"DESTDIR={tmp_path}", "prefix=/usr"]
    subprocess.run([*make, "install-files"], check=True)
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(found) == {
        "etc/hybridd/hybridd.yaml",
        "usr/lib/systemd/system/hybridd.service",
        "usr/lib/systemd/system/hybridd@.service",
        "usr/lib/systemd/system/hybridd.socket",
        "usr/lib/sysusers.d/hybridd.conf",
        "usr/share/bash-completion/completions/hybridd",
        "usr/share/hybridd/logrotate/hybridd",
        "usr/share/fish/vendor_completions.d/hybridd.fish",
        "usr/share/man/man5/hybridd.yaml.5",
        "usr/share/man/man8/hybridd.8",
        "usr/share/zsh/site-functions/_hybridd",
    }
    for name in ("hybridd.service", "hybridd@.service"):
        unit = found[f"usr/lib/systemd/system/{name}"].read_text()
        assert "\nExecStart=/usr/bin/hybridd run " in unit
        assert "\nExecReload=/usr/bin/hybridd reload\n" in unit
    # What an administrator has changed is kept, by another install and by uninstall.
    found["etc/hybridd/hybridd.yaml"].write_text("workers: 3\n")
    subprocess.run([*make, "install-files"], check=True)
    subprocess.run([*make, "uninstall"], check=True)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.read_text() for path in left] == ["workers: 3\n"]

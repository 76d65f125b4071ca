"""The rules of deploy/prometheus: right to promtool, each alert firing, not firing and not before its time."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from hybridd.master.deaths import PLANNED, REPLACED, Cause
from tests.support.prometheus import need
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
CASES = yaml.safe_load((FOLDER / "tests.yml").read_text())["tests"]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [need("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60
    )


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smhd])", text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def test_promtool_finds_no_mistake():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_when_it_should_and_only_then():
    done = promtool("test", "rules", "tests.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_is_wrong_would_be_found(tmp_path):
    for name in ("recording.yml", "tests.yml"):
        (tmp_path / name).write_text((FOLDER / name).read_text())
    (tmp_path / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text().replace("> 0.9", "> 0.85"))
    assert promtool("test", "rules", str(tmp_path / "tests.yml")).returncode != 0


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_is_held_firing_not_firing_and_at_its_boundary(alert):
    asked = [
        (number, seconds(one["eval_time"]), bool(one["exp_alerts"]))
        for number, case in enumerate(CASES)
        for one in case.get("alert_rule_test", ())
        if one["alertname"] == alert
    ]
    firing = {number for number, _, fires in asked if fires}
    assert firing, "never fires"
    assert {number for number, *_ in asked} - firing, "no other series with which it does not fire"
    began = {(number, at) for number, at, fires in asked if fires}
    assert any((number, at - 60) in {(n, t) for n, t, fires in asked if not fires} for number, at in began), (
        "nothing holds it back a minute before"
    )


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_says_what_it_is_and_where_to_read_on(alert):
    rule = RULES[alert]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    titles = re.findall(r"^### (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == alert.lower()
    assert alert in titles
    # What to do first stands in the message itself: who is woken by it has no manual at hand.
    assert re.search(r"`(hybridd|systemctl) \w+|\blog\b|page of targets", rule["annotations"]["description"])


def test_a_crash_loop_is_made_of_every_death_that_nobody_asked_for():
    causes = set(re.search(r'cause=~"(\S+)"', RULES["HybriddCrashLoop"]["expr"])[1].split("|"))
    # A worker that was asked to leave and took too long is the trouble of a reload, and no crash.
    assert causes == set(REPLACED) - PLANNED - {Cause.DEADLINE}


def test_the_manual_has_no_alert_that_is_none():
    alerts = (ROOT / "docs" / "operations.md").read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)$", alerts, re.MULTILINE) == list(RULES)

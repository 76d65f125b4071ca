"""Make what others talk to the master through: the admin endpoint and the control socket.

Knows:     who answers what.
Never:     a page, a verb.
Runs in:   the master, before its loop.
"""

from __future__ import annotations

import logging

from hybridd.master import status
from hybridd.master.admin import Admin
from hybridd.master.control import Control
from hybridd.master.gathering import Gathering
from hybridd.master.hosts import names
from hybridd.master.master import Master, Parts
from hybridd.master.pages import make_pages
from hybridd.master.start import Start
from hybridd.master.verbs import make_verbs
from hybridd.net.private import PrivateListener
from hybridd.ops.metrics import ScoreboardCollector
from hybridd.worker import words

_log = logging.getLogger("hybridd.master")


def make_doors(master: Master, parts: Parts, start: Start) -> list[Admin | Control]:
    """Return the admin endpoint, and the control socket if there is one."""
    heritage = parts.effects.inheritance
    sources = status.Sources(
        heritage.scoreboard,
        parts.vitals,
        parts.history,
        lambda: heritage.listeners.current,
        start.admin_listeners,
        start.control,
        lambda: parts.effects.fork_servers.living,
        lambda: parts.configurations.certificates_in_force,
    )
    admin = _make_admin(master, parts, sources)
    if start.control is None:
        return [admin]
    control = _make_control(master, parts, sources, start.control)
    master.watchers.append(control.review)
    return [admin, control]


def _make_admin(master: Master, parts: Parts, sources: status.Sources) -> Admin:
    reactor = parts.effects.inheritance.reactor
    collector = ScoreboardCollector(
        sources.scoreboard, words.GAUGES, lambda: status.facts(master.state, sources, reactor.now)
    )
    values, configurations = parts.effects.inheritance.values, parts.configurations
    gathering = Gathering(reactor, values, lambda: configurations.in_force.limits.application_series)
    pages = make_pages(
        lambda: status.report(master.state, configurations.in_force, sources, reactor.now),
        lambda: status.readiness(master.state, reactor.now),
        collector,
        gathering.ask,
    )
    return Admin(reactor, sources.admin, pages, gathering, lambda: names(parts.configurations.in_force))


def _make_control(master: Master, parts: Parts, sources: status.Sources, listener: PrivateListener) -> Control:
    _log.info("control on %s", listener.address)
    heritage = parts.effects.inheritance
    verbs = make_verbs(
        master,
        lambda **further: status.report(master.state, parts.configurations.in_force, sources, master.now(), **further),
        master.stacks,
    )
    control = Control(heritage.reactor, listener, verbs)
    master.stacks.answered = control.review
    return control

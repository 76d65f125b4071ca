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
from hybridd.master.verbs import make_verbs
from hybridd.net.private import PrivateListener
from hybridd.ops.metrics import ScoreboardCollector
from hybridd.worker import words

_log = logging.getLogger("hybridd.master")


def make_admin(master: Master, parts: Parts, sources: status.Sources) -> Admin:
    """Return the admin endpoint, with the pages that it shows."""
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


def make_control(
    master: Master, parts: Parts, sources: status.Sources, listener: PrivateListener | None
) -> Control | None:
    """Return the control socket, with the verbs that it understands; None without one."""
    if listener is None:
        return None
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

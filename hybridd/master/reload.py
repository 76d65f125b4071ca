"""The configurations of the generations: the one in force, the one on trial, and how a new one is read.

Knows:     how to load, what a reload cannot change, what the machine makes of it.
Never:     workers; whether a generation is good.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from hybridd.config.address import Address
from hybridd.config.difference import difference
from hybridd.config.loading import Loaded
from hybridd.config.settings import Config
from hybridd.errors import BindError, ConfigurationError
from hybridd.master import events
from hybridd.master.certificates import Certificates, CertificatesError, CertificatesOfGenerations
from hybridd.master.children import Patience
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.listeners import Listeners
from hybridd.master.machine import Machine, fit, shortcomings
from hybridd.net.listener import Listener, bind_all
from hybridd.net.reactor import Reactor

_log = logging.getLogger("hybridd.master")

_DAY: Final = 86_400.0


class Configurations:
    """One configuration per generation that may have workers.

    Attributes:
        in_force: the configuration of the trusted generation (of the first, until one is).
        certificates: what each generation serves with.
    """

    def __init__(
        self, loaded: Loaded, look: Callable[[], Machine], listeners: Listeners, certificates: Certificates
    ) -> None:
        self._look = look  # for each reload again: affinity and quotas may have been changed meanwhile
        self._listeners = listeners
        self.certificates = CertificatesOfGenerations(certificates, loaded.sources.directory)
        self._loaded = {1: loaded}
        self._fitted = {1: fit(loaded.config, look())}
        self._trusted = 1
        self._newest = 1

    @property
    def in_force(self) -> Config:
        """The configuration that the master itself follows."""
        return self._fitted[self._trusted]

    def of(self, generation: int) -> Config:
        """Return the configuration that this generation's workers get."""
        return self._fitted[generation]

    def worker_limits(self) -> dict[int, float]:
        """Return for each generation how many seconds a worker may show no sign of life."""
        return {generation: config.timeouts.worker for generation, config in self._fitted.items()}

    def read(self) -> events.ConfigurationRead | events.ConfigurationRefused:
        """Read the configuration again, and give it a generation if it can be applied."""
        before = self._loaded[self._trusted]
        try:
            loaded = before.reload()
        except ConfigurationError as error:
            return events.ConfigurationRefused("; ".join(error.problems))
        changes = difference(before.config, loaded.config)
        if changes.needs_restart:
            return events.ConfigurationRefused(f"nothing is applied: {changes.sentence}")
        machine = self._look()
        config = fit(loaded.config, machine)
        try:
            certificates = self.certificates.read(config)
            addresses = [one.address for one in config.listen]
            self._listeners.prepare(self._newest + 1, addresses, lambda missing: bind(config, missing))
        except (BindError, CertificatesError) as error:
            return events.ConfigurationRefused(f"nothing is applied: {error}")
        remarks = certificates.remarks(time.time())
        for warning in (*loaded.warnings, *shortcomings(loaded.config, machine), *remarks):
            _log.warning("%s", warning)
        _log.info("reload: %s", changes.sentence)
        if not loaded.config.workers and not before.config.workers and config.workers != self.in_force.workers:
            _log.info("reload: workers: auto is %d now, it was %d", config.workers, self.in_force.workers)
        self._newest += 1
        self.certificates.add(self._newest, certificates)
        self._loaded[self._newest], self._fitted[self._newest] = loaded, config
        return events.ConfigurationRead(
            generation=self._newest,
            patience=patience_of(config),
            policy=policy_of(config),
            drain_delay=config.shutdown.drain_delay,
            workers=config.workers if config.workers != self.in_force.workers else None,
            surge=config.reload.surge,
            unavailable=config.recycle.max_unavailable,
        )

    def trust(self, generation: int) -> None:
        """Put a generation's configuration in force."""
        self._trusted = generation

    @property
    def certificates_in_force(self) -> Certificates:
        """Those of the trusted generation."""
        return self.certificates.of(self._trusted)

    def watch_certificates(self, reactor: Reactor) -> None:
        """Warn of those in force that come to their end, once a day, beginning now."""
        for remark in self.certificates_in_force.remarks(time.time()):
            _log.warning("%s", remark)
        reactor.call_later(_DAY, lambda: self.watch_certificates(reactor))

    def forget(self, needed: set[int]) -> None:
        """Drop the configurations of generations that have and will get no workers."""
        kept = {*needed, self._trusted}
        self.certificates.forget(kept)
        self._loaded = {generation: loaded for generation, loaded in self._loaded.items() if generation in kept}
        self._fitted = {generation: config for generation, config in self._fitted.items() if generation in kept}


def bind(config: Config, addresses: Sequence[Address]) -> list[Listener]:
    """Bind what a reload adds."""
    return bind_all(addresses, config.backlog, {})


def patience_of(config: Config) -> Patience:
    """Return how long this configuration's workers may take."""
    return Patience(boot=config.timeouts.boot, graceful=config.timeouts.graceful, settle=config.reload.settle)


def policy_of(config: Config) -> CrashPolicy:
    """Return this configuration's crash policy."""
    crash = config.crash
    return CrashPolicy(restarts=crash.restarts, window=crash.window, longest_pause=crash.backoff_max)

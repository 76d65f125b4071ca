"""A bounded pool of daemon threads, made on demand.

Not ``concurrent.futures``: its threads are joined at exit, so that one handler that hangs for ever keeps its process
alive for ever.  These are daemon threads and nobody waits for them.

One job may be special: the lead.  It runs in a thread of the pool but takes no slot, so that with every slot busy there
is still one thread that leads.

Knows:     threads, and how to post to the thread that leads.
Never:     what the jobs are.
Runs in:   ``submit`` and ``done`` in the thread that leads; ``lead`` there or where nobody leads; jobs in the threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

_log = logging.getLogger("hybridd.worker")

Job = Callable[[], Any]
Done = Callable[[Any], None]


class Pool:
    """At most ``size`` jobs at once; more wait inside, in order (who wants a bound asks ``free`` first).

    Attributes:
        size: how many jobs may run at once; lower than asked for after the system refused a thread, until ``grow``.
        running: slots taken: jobs submitted and not yet done.
        threads: threads that exist.
    """

    def __init__(self, size: int, post: Callable[..., None], name: str) -> None:
        self.size = self._wanted = size
        self.running = 0
        self.threads = 0
        self._leads = 0
        self._post = post
        self._name = name
        self._jobs: SimpleQueue[tuple[Job, Done | None]] = SimpleQueue()

    @property
    def free(self) -> bool:
        """Whether a job submitted now begins at once."""
        return self.running < self.size

    def submit(self, job: Job, done: Done) -> None:
        """Run ``job()`` in a thread, then ``done(its result)`` in the thread that leads.

        Raises:
            RuntimeError: no thread exists for it and none can be started (limits on processes, memory).
        """
        if self.free and self.threads <= self.running + self._leads and not self._start_thread():
            if not self.running:
                raise RuntimeError(f"no thread can be started for the {self._name} pool")
            self.size = self.running  # what this process can have now; the queue before the pool says the rest
        self.running += 1
        self._jobs.put((job, done))

    def lead(self, job: Job) -> bool:
        """Run ``job()`` at once in a thread but in no slot; False when there is no thread for it.

        When there was a lead before, its thread is busy with something that blocked: it has a slot from now on, until
        ``release``.
        """
        running = self.running + self._leads
        if self.threads <= running and not self._start_thread():
            return False
        self.running = running
        self._leads = 1
        self._jobs.put((job, None))
        return True

    def lead_elsewhere(self) -> None:
        """The lead has gone to a thread that is none of the pool's; its former thread has a slot until ``release``."""
        self.running += self._leads
        self._leads = 0

    def release(self) -> None:
        """The slot of a former lead's thread is free again."""
        self.running -= 1

    def grow(self) -> bool:
        """Ask for as many threads as were wanted once again; False: none are missing."""
        missing = self.size < self._wanted
        self.size = self._wanted
        return missing

    def _start_thread(self) -> bool:
        try:
            Thread(target=self._work, name=f"{self._name}-{self.threads}", daemon=True).start()
        except RuntimeError as error:
            wanted = self._wanted + self._leads
            _log.warning("cannot start thread %d of %d of the %s pool: %s", self.threads + 1, wanted, self._name, error)
            return False
        self.threads += 1
        return True

    def _work(self) -> None:
        while True:
            job, done = self._jobs.get()
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001  # a defect of ours: the thread and its slot must survive it
                _log.critical("a job of the %s pool failed", self._name, exc_info=error)
                result = error
            if done is not None:
                self._post(self._finished, done, result)
            del job, done, result  # a thread that waits keeps nothing of its last job alive

    def _finished(self, done: Done, result: Any) -> None:
        self.running -= 1
        done(result)

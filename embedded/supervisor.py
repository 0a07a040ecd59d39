"""Keeps one server running: starts it, probes its health, restarts it, stops it."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from typing import Protocol

from embedded.probe import HealthProbe
from embedded.tuning import DEFAULT, Tuning
from server.processes import stop_signals_blocked

logger = logging.getLogger("trawl.embedded")

# Seconds.
FIRST_PAUSE = 0.005  # between probes of a server that has just been started; grows up to
LONGEST_PAUSE = 0.1
BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0)
POLL = 0.005
MAX_GAP = 1.0  # between two calls of `watch`
# A start may take longer than `stall`, on a slow machine: the next one may take twice as long, and so on.
MOST_PATIENCE = 16


class Server(Protocol):
    """What the supervisor must know of PostgreSQL or Valkey."""

    name: str
    stop_signal: signal.Signals
    """Ends it in order."""
    quit_signal: signal.Signals
    """Ends it at once, with nothing lost that was promised to be kept."""

    def orphans(self) -> list[int]:
        """Return the processes of this server that no supervisor has as its child."""

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it. No process of it is alive: what an earlier one left behind is removed."""

    def probe(self) -> HealthProbe: ...

    def is_ready(self, response: bytes) -> bool: ...

    def last_log_error(self) -> str:
        """Return why it ended, in one line of its own words."""

    def rotate_log(self) -> None:
        """Keep its log file from growing for ever."""

    def reconfigure(self) -> bool:
        """Adapt its configuration to the machine; return whether it must read it again, at a SIGHUP."""

    def clean_up(self) -> None:
        """Remove what is only of use while it runs."""


class Supervisor:
    """One server and its process. Nothing here waits but `stop`: call `watch` often, from the main thread."""

    def __init__(self, server: Server, tuning: Tuning = DEFAULT) -> None:
        self.server = server
        self.ready = False
        self.error: str | None = None
        """Why the last attempt to start failed, until one succeeds."""
        self._tuning = tuning
        self._process: subprocess.Popen[bytes] | None = None
        self._probe: HealthProbe | None = None
        self._failures = 0
        self._patience = 1  # times `stall`
        now = time.monotonic()
        self._start_time = self._last_watch = self._last_response = self._next_step = now
        self._pause = FIRST_PAUSE
        self._orphans_since: float | None = None

    def watch(self) -> None:
        """Take the next step, if one is due."""
        now = time.monotonic()
        # While the watcher itself was stopped it could hear no response: that is not a stall of the server.
        self._last_response += max(0.0, now - self._last_watch - MAX_GAP)
        self._last_watch = now
        if self._process is None:
            if now >= self._next_step:
                self._start(now)
        elif self._process.poll() is not None:
            self._handle_exit(now, self._process.returncode)
        else:
            self._watch_running(now)

    def _watch_running(self, now: float) -> None:
        # Before it is ready, a SIGHUP might end it; and it reads its configuration then.
        if self.ready and self.server.reconfigure():
            self._signal(signal.SIGHUP)
        if self._probe is not None:
            self._check_probe(now, self._probe)
        elif now >= self._next_step:
            self._probe = self.server.probe()
            self._check_probe(now, self._probe)

    def begin_stop(self) -> None:
        self._signal(self.server.stop_signal)

    def stop(self) -> None:
        """End the server and wait for it: in order, else at once, else by force."""
        self.begin_stop()
        if not self._wait(self._tuning.stop_timeout):
            logger.warning("%s does not stop in order: stopping it at once", self.server.name)
            self._signal(self.server.quit_signal)
            if not self._wait(self._tuning.quit_timeout):
                self._signal(signal.SIGKILL)
                self._wait(self._tuning.quit_timeout)
            self._kill(self.server.orphans(), signal.SIGKILL)
        self._drop_probe()
        self._process = None
        self.ready = False
        self.server.clean_up()

    def _start(self, now: float) -> None:
        if orphans := self.server.orphans():
            self._end_orphans(now, orphans)
            return
        self._orphans_since = None
        try:
            with stop_signals_blocked():
                self._process = self.server.spawn()
        except (OSError, subprocess.SubprocessError) as error:
            self._handle_failure(now, f"{self.server.name} can't be started: {error}")
            return
        self._start_time = self._last_response = self._next_step = now
        self._pause = FIRST_PAUSE

    def _end_orphans(self, now: float, orphans: list[int]) -> None:
        if self._orphans_since is None:
            logger.warning("ending %s processes left without a parent: %s", self.server.name, orphans)
            self._orphans_since = now
        patient = now - self._orphans_since < self._tuning.orphan_grace
        self._kill(orphans, self.server.quit_signal if patient else signal.SIGKILL)
        self._next_step = now + LONGEST_PAUSE / 2

    def _check_probe(self, now: float, probe: HealthProbe) -> None:
        if probe.poll():
            self._last_response = now
            self._probe = None
            self._handle_response(now, probe.response)
        elif probe.failed:
            self._probe = None
            self._probe_later(now)
        if now - self._last_response > self._tuning.stall * self._patience and self._process is not None:
            logger.error("%s does not answer: starting it again", self.server.name)
            self._process.kill()
            self._last_response = now
            self._patience = min(2 * self._patience, MOST_PATIENCE)

    def _handle_response(self, now: float, response: bytes) -> None:
        if not self.server.is_ready(response):
            self._probe_later(now)
            return
        if not self.ready:
            logger.info("%s is ready after %.0f ms", self.server.name, (now - self._start_time) * 1000)
        self.ready = True
        self.error = None
        self._failures = 0
        self._patience = 1
        self._next_step = now + self._tuning.probe_interval
        self.server.rotate_log()

    def _probe_later(self, now: float) -> None:
        self._pause = min(self._pause * 1.2, LONGEST_PAUSE)
        self._next_step = now + self._pause

    def _handle_exit(self, now: float, code: int) -> None:
        self._process = None
        self._drop_probe()
        if code < 0:
            cause = f"{self.server.name} was ended by signal {-code}"
        else:
            cause = f"{self.server.name} ended with {code}: {self.server.last_log_error()}"
        if self.ready:
            self.ready = False
            self._next_step = now
            logger.warning("%s; starting it again", cause)
        else:
            self._handle_failure(now, cause)

    def _handle_failure(self, now: float, cause: str) -> None:
        """Remember why the server did not start, and try again after a pause."""
        self.error = cause
        pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._next_step = now + pause
        logger.error("%s", cause)

    @staticmethod
    def _kill(pids: list[int], number: int) -> None:
        for pid in pids:
            # It may have ended by itself since it was seen.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _wait(self, seconds: float) -> bool:
        """Wait for the process to end; returns whether it has."""
        end = time.monotonic() + seconds
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > end:
                return False
            time.sleep(POLL)
        return True

    def _drop_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None

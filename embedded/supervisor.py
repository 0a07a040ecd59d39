"""Keeps one server running: starts it, asks it whether it is well, starts it again, stops it."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from typing import Protocol

from embedded.sockets import Question
from server.processes import stop_signals_held

logger = logging.getLogger("trawl.embedded")

# Seconds.
FIRST_ASKED = 0.005  # between questions to a server that has just been started; doubles up to
SLOWEST_ASKED = 0.1
ASKED_WHEN_WELL = 2.0
SILENT_TOO_LONG = 6.0
STRAYS_MAY_STAY = 1.0
BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0)
STOP_TAKES = 6.0
QUIT_TAKES = 2.0
POLL = 0.005


class Server(Protocol):
    """What the supervisor must know of PostgreSQL or Valkey."""

    name: str
    stop_signal: signal.Signals
    """Ends it in order."""
    quit_signal: signal.Signals
    """Ends it at once, with nothing lost that was promised to be kept."""

    def strays(self) -> list[int]:
        """Processes of this server that nobody looks after any more."""

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it. No process of it is alive: what an earlier one left behind is removed."""

    def ask(self) -> Question: ...

    def is_ready(self, answer: bytes) -> bool: ...

    def complaint(self) -> str:
        """Why it ended, in one line of its own words."""

    def tidy(self) -> None:
        """Keep its log file from growing for ever."""

    def leave(self) -> None:
        """Remove what is only of use while it runs."""


class Supervisor:
    """One server and its process. Nothing here waits but `stop`: call `watch` often, from the main thread."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ready = False
        self.error: str | None = None
        """Why the last attempt to start failed, until one succeeds."""
        self._process: subprocess.Popen[bytes] | None = None
        self._question: Question | None = None
        self._failures = 0
        self._started = self._watched = self._answered = self._next = time.monotonic()
        self._pause = FIRST_ASKED
        self._strays_since: float | None = None

    def watch(self) -> None:
        """Take the next step, if one is due."""
        now = time.monotonic()
        # Somebody who was stopped himself must not take the time that he missed for the server's silence.
        self._answered += max(0.0, now - self._watched - 1.0)
        self._watched = now
        if self._process is None:
            if now >= self._next:
                self._start(now)
        elif self._process.poll() is not None:
            self._ended(now, self._process.returncode)
        elif self._question is not None:
            self._hear(now, self._question)
        elif now >= self._next:
            self._question = self.server.ask()
            self._hear(now, self._question)

    def begin_stop(self) -> None:
        self._signal(self.server.stop_signal)

    def stop(self) -> None:
        """End the server and wait for it: in order, else at once, else by force."""
        self.begin_stop()
        if not self._wait(STOP_TAKES):
            logger.warning("%s does not stop in order: stopping it at once", self.server.name)
            self._signal(self.server.quit_signal)
            if not self._wait(QUIT_TAKES):
                self._signal(signal.SIGKILL)
                self._wait(QUIT_TAKES)
            self._kill(self.server.strays(), signal.SIGKILL)
        self._drop_question()
        self._process = None
        self.ready = False
        self.server.leave()

    def _start(self, now: float) -> None:
        if strays := self.server.strays():
            self._end_strays(now, strays)
            return
        self._strays_since = None
        try:
            with stop_signals_held():
                self._process = self.server.spawn()
        except (OSError, subprocess.SubprocessError) as error:
            self._failed(now, f"{self.server.name} can't be started: {error}")
            return
        self._started = self._answered = self._next = now
        self._pause = FIRST_ASKED

    def _end_strays(self, now: float, strays: list[int]) -> None:
        if self._strays_since is None:
            logger.warning("ending %s processes left without a parent: %s", self.server.name, strays)
            self._strays_since = now
        patient = now - self._strays_since < STRAYS_MAY_STAY
        self._kill(strays, self.server.quit_signal if patient else signal.SIGKILL)
        self._next = now + SLOWEST_ASKED / 2

    def _hear(self, now: float, question: Question) -> None:
        if question.answered():
            self._answered = now
            self._question = None
            self._judge(now, question.answer)
        elif question.failed:
            self._question = None
            self._ask_later(now)
        if now - self._answered > SILENT_TOO_LONG and self._process is not None:
            logger.error("%s does not answer: starting it again", self.server.name)
            self._process.kill()
            self._answered = now

    def _judge(self, now: float, answer: bytes) -> None:
        if not self.server.is_ready(answer):
            self._ask_later(now)
            return
        if not self.ready:
            logger.info("%s is ready after %.0f ms", self.server.name, (now - self._started) * 1000)
        self.ready = True
        self.error = None
        self._failures = 0
        self._next = now + ASKED_WHEN_WELL
        self.server.tidy()

    def _ask_later(self, now: float) -> None:
        self._pause = min(self._pause * 1.2, SLOWEST_ASKED)
        self._next = now + self._pause

    def _ended(self, now: float, code: int) -> None:
        self._process = None
        self._drop_question()
        if code < 0:
            cause = f"{self.server.name} was ended by signal {-code}"
        else:
            cause = f"{self.server.name} ended with {code}: {self.server.complaint()}"
        if self.ready:
            self.ready = False
            self._next = now
            logger.warning("%s; starting it again", cause)
        else:
            self._failed(now, cause)

    def _failed(self, now: float, cause: str) -> None:
        self.error = cause
        pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._next = now + pause
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
        end = time.monotonic() + seconds
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > end:
                return False
            time.sleep(POLL)
        return True

    def _drop_question(self) -> None:
        if self._question is not None:
            self._question.close()
            self._question = None

"""A client's adapter in a process of its own, at the other end of two pipes.

Whatever that process does, it ends with us: it never answers, floods, dies, writes garbage or a line
without an end, and each time the answer is an `AdapterError` that says so. [SECRET-3]
"""

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import textwrap
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Final

from splus_session._text import visible
from splus_session.conformance._lines import (
    LONGEST_ANSWER,
    LONGEST_LINE,
    MOST_EVENTS,
    AdapterError,
    Idle,
    Told,
    parse,
)
from splus_session.testing import FakePlatform

PATIENCE: Final = 10.0
"""Real seconds within which a command is answered."""

_MOST_SAID: Final = 64 * 1024
"""How much of its standard error is kept, in bytes."""
_LAST_LINES: Final = 3
"""How many of its last lines are told when it dies, besides the first."""


class Child:
    """A running adapter. Its process and all that this starts are ended by `close`.

    Args:
        command: the program and its arguments.
        patience: real seconds within which it answers a command.

    Raises:
        AdapterError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], patience: float = PATIENCE) -> None:
        self._patience = patience
        try:
            self._process = subprocess.Popen(  # noqa: S603  what to run is the user's to say
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that all of it can be ended
            )
        except OSError as error:
            raise AdapterError(f"the adapter cannot be started: {error}") from None
        assert self._process.stdin is not None  # noqa: S101  for the type checker
        os.set_blocking(self._process.stdin.fileno(), False)  # one that does not read must not hold us up
        # Bounded: an adapter that floods is held up by its pipe, and not by our memory.
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=8)
        self._said = bytearray()
        self.heard = 0
        """How many bytes of it came, with those that are not kept."""
        self._hearing = threading.Lock()
        self._before: deque[int] = deque((0,), maxlen=2)
        """How many had come when the last commands were given."""
        self._closed = threading.Event()
        self._is_at_work = False
        self._start(self._read, self._process.stdout)
        self._listener = self._start(self._listen, self._process.stderr)

    def said(self, since: int = 0) -> str:
        """What it wrote to its standard error after so many bytes, as much as is kept."""
        with self._hearing:
            new = self.heard - since
            return self._said[-new:].decode("utf-8", "replace") if new > 0 else ""

    pause = 0.1
    """See `Adapter.pause`."""

    def meet(self, platform: FakePlatform) -> None:
        """It meets no more of the platform than its URL."""

    @property
    def is_alive(self) -> bool:
        """Whether it was not ended, and did not end."""
        return not self._closed.is_set() and self._process.poll() is None

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        """Give it one command, and wait until it is idle.

        Raises:
            AdapterError: see the module.
        """
        if self._closed.is_set():
            raise AdapterError("the adapter was ended")
        self._is_at_work = True
        self._before.append(self.heard)
        # One deadline for all of its lines: one that drips them is not idle either.
        until = time.monotonic() + self._patience
        self._give(json.dumps(command, separators=(",", ":")).encode() + b"\n", until, command)
        events: list[Told] = []
        length = 0
        while True:
            line = self._next(until, command)
            length += len(line)
            if length > LONGEST_ANSWER:
                raise AdapterError(f"the adapter floods: more than {LONGEST_ANSWER} bytes for one command")
            said = parse(line)
            if isinstance(said, Idle):
                if said.of != command["id"]:
                    raise AdapterError(f"the adapter is idle after {said.of}, which was not its last command")
                self._is_at_work = False
                return events, said
            events.append(said)
            if len(events) > MOST_EVENTS:
                raise AdapterError(f"the adapter floods: more than {MOST_EVENTS} events for one command")

    def kill(self) -> None:
        """End the process as a power failure would."""
        self._end(signal.SIGKILL)

    def close(self, patience: float = 5.0) -> None:
        """End the process, orderly within so many real seconds if it still does what it is told."""
        if self._closed.is_set():
            return
        try:
            if not self._is_at_work:
                self._say_bye(min(patience, self._patience))
        finally:
            self._end(signal.SIGKILL)

    def _say_bye(self, patience: float) -> None:
        bye = {"id": 0, "do": "bye"}
        with contextlib.suppress(AdapterError, subprocess.TimeoutExpired):
            self._give(json.dumps(bye).encode() + b"\n", time.monotonic() + patience, bye)
            self._hang_up()
            self._process.wait(patience)

    def _end(self, how: signal.Signals) -> None:
        self._closed.set()
        with contextlib.suppress(queue.Full):  # another thread may be waiting for a line
            self._lines.put_nowait(None)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, how)  # what it started, too
        self._process.wait()
        self._hang_up()

    def _hang_up(self) -> None:
        assert self._process.stdin is not None  # noqa: S101  for the type checker
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()

    def _give(self, line: bytes, until: float, command: Mapping[str, object]) -> None:
        assert self._process.stdin is not None  # noqa: S101  for the type checker
        with contextlib.suppress(BrokenPipeError, ValueError):  # it is gone; that is seen next
            pipe = self._process.stdin.fileno()
            poll = select.poll()
            poll.register(pipe, select.POLLOUT)
            while line:
                if not poll.poll(1000 * max(0.0, until - time.monotonic())):
                    raise AdapterError(f"the adapter does not read the command {command.get('do')!r}")
                with contextlib.suppress(BlockingIOError):
                    line = line[os.write(pipe, line) :]

    def _next(self, until: float, command: Mapping[str, object]) -> bytes:
        try:
            line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise AdapterError(
                f"the adapter is not idle {self._patience:g} s after the command {command.get('do')!r}"
            ) from None
        if self._closed.is_set():
            raise AdapterError("the adapter was ended")
        if line is None:
            raise AdapterError(self._obituary())
        if len(line) > LONGEST_LINE:
            raise AdapterError(f"a line of the adapter's is longer than {LONGEST_LINE} bytes")
        return line

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.poll()
        if code is None:
            how = "closed its output"
        else:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
            self._listener.join(0.5)  # its last words may still be in the pipe
        words = self._last_words()
        return f"the adapter {how}" + (f"; it said: {' | '.join(words)}" if words else "")

    def _last_words(self) -> list[str]:
        """How it began to speak since it was last told something, and how it ended: a trace names the error
        in its first line."""
        since = next((mark for mark in reversed(self._before) if mark != self.heard), 0)
        lines = [_shortened(visible(line)) for line in self.said(since).strip().splitlines()]
        return lines if len(lines) <= 1 + _LAST_LINES else [lines[0], "…", *lines[-_LAST_LINES:]]

    def _start(self, job: object, pipe: IO[bytes] | None) -> threading.Thread:
        thread = threading.Thread(target=job, args=(pipe,), daemon=True, name="conformance")  # type: ignore[arg-type]
        thread.start()
        return thread

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe, contextlib.suppress(OSError, ValueError):
            while line := pipe.readline(LONGEST_LINE + 2):
                self._put(line.rstrip(b"\n"))
                if not line.endswith(b"\n") and len(line) > LONGEST_LINE:
                    return  # nobody knows where the next one begins
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=0.1)
                return

    def _listen(self, pipe: IO[bytes]) -> None:
        with pipe, contextlib.suppress(OSError, ValueError):
            while piece := os.read(pipe.fileno(), 8192):
                with self._hearing:
                    self._said += piece
                    self.heard += len(piece)
                    del self._said[:-_MOST_SAID]


def _shortened(line: str) -> str:
    """A line that is not too long. No word is cut, lest half a secret stays that nobody knows for one."""
    return textwrap.shorten(line, 200, placeholder=" …", break_long_words=False, break_on_hyphens=False)

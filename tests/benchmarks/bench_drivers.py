"""The drivers, side by side with other token libraries in the same run.

Time is the thread's CPU time, and what counts are ratios: machines differ, and are busy.
"""

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import trio
from peers import PEERS
from report import Row

from splus_session import Config, SplusSessionError
from splus_session import aio as session_aio
from splus_session import sync as session_sync
from splus_session.ports import Renewal
from splus_session.testing import Endpoint, FakePlatform, Hold, ManualClock, TokenTerms, faults

CALLS = 20_000
ROUNDS = 9
CALLERS = 10_000
THREADS = 256


class Handler:
    """Answers a renewal at once."""

    def __init__(self, platform: FakePlatform) -> None:
        self._platform = platform

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """Get an auth token from the customer's backend."""
        renewal.renew_with_auth_token(self._platform.issue_auth_token("user"))


# ── A header from a fresh token ─────────────────────────────────────────────────────────────────


class Floor:
    """What a header costs at the least: one attribute and the clock."""

    def __init__(self) -> None:
        self.header = "Bearer x"

    def get(self) -> str:
        """Look at the clock, give the attribute."""
        time.time()
        return self.header

    async def aget(self) -> str:
        """The same, to be awaited."""
        time.time()
        return self.header


def _time_sync(function: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    for _ in range(CALLS):
        function()
    return (time.thread_time_ns() - start) / CALLS


async def _time_async(function: Callable[[], Awaitable[object]]) -> float:
    start = time.thread_time_ns()
    for _ in range(CALLS):
        await function()
    return (time.thread_time_ns() - start) / CALLS


def _rounds(time_one: Callable[[str], float], names: list[str]) -> dict[str, list[float]]:
    """Every contestant in every round, so that a busy moment hits all of them."""
    for name in names:
        time_one(name)  # warm up
    gc.disable()
    try:
        rounds = [{name: time_one(name) for name in names} for _ in range(ROUNDS)]
    finally:
        gc.enable()
    return {name: [figures[name] for figures in rounds] for name in names}


def _report(kind: str, times: dict[str, list[float]]) -> list[Row]:
    ours, floor = times["splus-session"], times["floor"]
    ratio = statistics.median(o / f for o, f in zip(ours, floor, strict=True))
    rows = [
        Row(
            f"{kind} header, against one attribute and the clock",
            f"{ratio:.2f} ×  ({statistics.median(ours):.0f} ns against {statistics.median(floor):.0f} ns)",
            "≤ 2 ×",
            ratio <= 2,
        )
    ]
    for name, figures in times.items():
        if name not in ("splus-session", "floor"):
            slower = statistics.median(p / o for p, o in zip(figures, ours, strict=True))
            rows.append(
                Row(
                    f"{kind} header, against {name}",
                    f"{slower:.1f} × faster  (they: {statistics.median(figures):.0f} ns)",
                    "> 1 ×",
                    slower > 1,
                )
            )
    return rows


def headers() -> list[Row]:
    """An authorised header from a fresh token."""
    peers = {name: make() for name, make in PEERS.items()}
    floor = Floor()
    platform = FakePlatform()
    rows: list[Row] = []

    handler = Handler(platform)  # without one, every login warns
    with session_sync.Session(
        platform.api_key, platform=platform.client(), session_handler=handler
    ) as session:
        session.login("user", auth_token=platform.issue_auth_token("user"))
        sync = {"floor": floor.get, "splus-session": session.authorization} | {
            name: peer[0] for name, peer in peers.items()
        }
        rows += _report("sync", _rounds(lambda name: _time_sync(sync[name]), list(sync)))

    async def run() -> list[Row]:
        async with session_aio.Session(
            platform.api_key, platform=platform.async_client(), session_handler=handler
        ) as session:
            await session.login("user", auth_token=platform.issue_auth_token("user"))
            contestants = {"floor": floor.aget, "splus-session": session.authorization} | {
                name: peer[1] for name, peer in peers.items() if peer[1] is not None
            }
            for name in contestants:
                await _time_async(contestants[name])
            gc.disable()
            rounds = [
                {name: await _time_async(get) for name, get in contestants.items()} for _ in range(ROUNDS)
            ]
            gc.enable()
            return _report("aio", {name: [r[name] for r in rounds] for name in contestants})

    return rows + asyncio.run(run())


# ── Everybody at once, on an expired token ──────────────────────────────────────────────────────


class Storm:
    """A platform whose tokens live a minute, a clock to turn, and a count of what it is asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.clock = ManualClock()
        self.platform = FakePlatform(clock=self.clock)
        self.platform.rules.terms = TokenTerms(lifetime=60)
        self.fails = fails
        self.config = Config(jitter=0)
        self._outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def expire(self) -> None:
        """Let the token's time pass, with the renewal held up that this causes."""
        self.before = len(self.platform.requests_to(Endpoint.LOGIN))
        self.hold = Hold()
        struck = [self.hold.fault(carried_out=False)]
        if self.fails:
            struck.append(faults.server_error(503))
        self.platform.fail(Endpoint.LOGIN, *struck)
        self.clock.advance(61)

    def row(self, what: str, seconds: float, callers: int = CALLERS) -> Row:
        """What came of it: one renewal, and its outcome for each of so many callers."""
        renewals = len(self.platform.requests_to(Endpoint.LOGIN)) - self.before
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes.items()))
        met = renewals == 1 and self._outcomes == {"renewal_failed" if self.fails else "ok": callers}
        failed = " and failing" if self.fails else ""
        return Row(f"{what}{failed}", f"{renewals} renewal; {outcomes}; {seconds:.2f} s", "1 for all", met)

    def count(self, outcome: str) -> None:
        """One caller's outcome. From any thread."""
        with self._lock:
            self._outcomes[outcome] += 1

    def call(self, session: session_sync.Session) -> None:
        """One caller, in a thread."""
        try:
            session.authorization()
            self.count("ok")
        except SplusSessionError as error:
            self.count(error.code)

    async def acall(self, session: session_aio.Session) -> None:
        """One caller, in a task."""
        try:
            await session.authorization()
            self.count("ok")
        except SplusSessionError as error:
            self.count(error.code)


def _threads(storm: Storm) -> Row:
    with session_sync.Session(
        storm.platform.api_key,
        platform=storm.platform.client(),
        session_handler=Handler(storm.platform),
        clock=storm.clock,
        config=storm.config,
    ) as session:
        session.login("user", auth_token=storm.platform.issue_auth_token("user"))
        storm.expire()
        with ThreadPoolExecutor(THREADS) as pool:
            start = time.perf_counter()
            calls = [pool.submit(storm.call, session) for _ in range(CALLERS)]
            storm.hold.arrived.wait()
            storm.hold.release()
            for call in calls:
                call.result()
        return storm.row(f"{CALLERS:,} calls on {THREADS} threads", time.perf_counter() - start)


def _tasks(storm: Storm, *, cancels_leader: bool = False, loops: int = 1) -> Row:
    async def run() -> Row:
        async with session_aio.Session(
            storm.platform.api_key,
            platform=storm.platform.async_client(),
            session_handler=Handler(storm.platform),
            clock=storm.clock,
            config=storm.config,
        ) as session:
            await session.login("user", auth_token=storm.platform.issue_auth_token("user"))
            storm.expire()
            start = time.perf_counter()
            leader = asyncio.create_task(storm.acall(session))
            await asyncio.sleep(0)
            others = [
                asyncio.create_task(asyncio.to_thread(_elsewhere, storm, session, CALLERS // loops))
                for _ in range(loops - 1)
            ]
            tasks = [asyncio.create_task(storm.acall(session)) for _ in range(CALLERS // loops - 1)]
            await storm.hold.arrived
            if cancels_leader:
                leader.cancel()
            storm.hold.release()
            await asyncio.gather(leader, *tasks, *others, return_exceptions=True)
            what = f"{CALLERS:,} tasks"
            what += ", leader cancelled" if cancels_leader else ""
            what += f", {loops} event loops" if loops > 1 else ""
            callers = CALLERS - 1 if cancels_leader else CALLERS
            return storm.row(what, time.perf_counter() - start, callers)

    return asyncio.run(run())


def _elsewhere(storm: Storm, session: session_aio.Session, callers: int) -> None:
    async def run() -> None:
        await asyncio.gather(*(storm.acall(session) for _ in range(callers)))

    asyncio.run(run())


def _trio_tasks(storm: Storm) -> Row:
    async def run() -> Row:
        async with session_aio.Session(
            storm.platform.api_key,
            platform=storm.platform.async_client(),
            session_handler=Handler(storm.platform),
            clock=storm.clock,
            config=storm.config,
        ) as session:
            await session.login("user", auth_token=storm.platform.issue_auth_token("user"))
            storm.expire()
            start = time.perf_counter()
            async with trio.open_nursery() as nursery:
                for _ in range(CALLERS):
                    nursery.start_soon(storm.acall, session)
                await storm.hold.arrived
                storm.hold.release()
            return storm.row(f"{CALLERS:,} tasks on trio", time.perf_counter() - start)

    return trio.run(run)


def storms() -> list[Row]:
    """Ten thousand callers on an expired token: one renewal, whatever becomes of it. [RENEW-3]"""
    return [
        _tasks(Storm()),
        _tasks(Storm(fails=True)),
        _tasks(Storm(), cancels_leader=True),
        _tasks(Storm(), loops=2),
        _tasks(Storm(fails=True), loops=2),
        _trio_tasks(Storm()),
        _threads(Storm()),
        _threads(Storm(fails=True)),
    ]


# ── Weight ──────────────────────────────────────────────────────────────────────────────────────


IMPORTS = ("import splus_session", "import google.auth.transport.requests")


def _import_seconds(statement: str, environment: dict[str, str]) -> float:
    code = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _with_bytecode_in(folder: str) -> dict[str, str]:
    """An environment in which bytecode is kept, whatever ours says: without it, compiling is measured."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def imports() -> list[Row]:
    """CPU time of the import, in fresh processes that find fresh bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _with_bytecode_in(folder)
        for statement in IMPORTS:
            _import_seconds(statement, environment)  # compiles
        pairs = [
            tuple(_import_seconds(statement, environment) for statement in IMPORTS) for _ in range(ROUNDS)
        ]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(pair[i] for pair in pairs) * 1000 for i in (0, 1))
    return [
        Row(
            "import, against google.auth.transport.requests",
            f"{ratio:.2f} ×  ({ours:.0f} ms against {theirs:.0f} ms)",
            "≤ 0.33 ×",
            ratio <= 1 / 3,
        )
    ]


def idle_threads(sessions: int = 200, patience: float = 30.0) -> list[Row]:
    """Threads that idle threaded sessions keep, once those of their logins have ended."""
    platform, before = FakePlatform(), threading.active_count()
    handler = Handler(platform)
    with ExitStack() as stack:
        for _ in range(sessions):
            session = session_sync.Session(
                platform.api_key, platform=platform.client(), session_handler=handler
            )
            stack.enter_context(session).login("user", auth_token=platform.issue_auth_token("user"))
        until = time.monotonic() + patience
        while (threads := threading.active_count() - before) > 1 and time.monotonic() < until:
            time.sleep(0.01)
    # One, the process-wide watcher; none if an earlier session of this process has started that.
    return [Row(f"threads of {sessions} idle sessions", str(threads), "≤ 1", threads <= 1)]

"""One exchange: from a request that arrived to an answer that leaves, past the faults that strike it.

A generator that yields what to wait for, so that one text serves threads (`drive`) and tasks
(`drive_async`).
"""

from collections.abc import Callable, Generator, Iterator
from typing import cast

import attrs

from splus_session.ports import Clock
from splus_session.testing._messages import Request, Response
from splus_session.testing._tokens import TokenTerms
from splus_session.testing._waiting import First, Pause, Until, wait, wait_async
from splus_session.testing.faults import Fault, Hold


@attrs.frozen
class Delivery:
    """How an answer leaves."""

    response: Response
    pieces: tuple[bytes, ...]
    """Its body."""
    every: float
    """Seconds before each piece."""
    whole: bool
    """Whether it arrives as a whole; else the connection ends after these pieces."""


Carry = Callable[[Request, TokenTerms | None], Response]
"""Carries out a request; None: on the platform's usual terms."""

Exchange = Generator[Pause, None, Delivery | None]
"""Yields what to wait for; returns what leaves, or None if the connection just ends."""


def exchange(request: Request, faults: tuple[Fault, ...], clock: Clock, carry: Carry) -> Exchange:
    """Let a request through these faults, to be carried out by `carry` if they allow."""
    yield from _waits((fault.before for fault in faults), clock)
    for fault in faults:
        faults += fault.before.struck if isinstance(fault.before, Hold) else ()
    if any(fault.lost for fault in faults):
        return None
    response = next((fault.instead for fault in faults if fault.instead is not None), None)
    if response is None:
        terms = next((fault.terms for fault in faults if fault.terms is not None), None)
        response = carry(request, terms)
    for fault in faults:
        response = fault.edit(response) if fault.edit is not None else response
    yield from _waits((fault.after for fault in faults), clock)
    if any(fault.unanswered for fault in faults):
        return None
    return _delivery(response, faults)


def drive(exchange: Exchange, bound: Pause) -> Delivery | None:
    """Run an exchange in this thread; None if the connection ended, or `bound` was over first."""
    try:
        while True:
            wait(First(next(exchange), bound))
            if bound.left() <= 0:
                return None
    except StopIteration as end:
        return cast("Delivery | None", end.value)
    finally:
        exchange.close()


async def drive_async(exchange: Exchange, bound: Pause) -> Delivery | None:
    """Run an exchange in this task, of asyncio or trio. See `drive`."""
    try:
        while True:
            await wait_async(First(next(exchange), bound))
            if bound.left() <= 0:
                return None
    except StopIteration as end:
        return cast("Delivery | None", end.value)
    finally:
        exchange.close()


def _waits(pauses: Iterator[float | Hold | None], clock: Clock) -> Iterator[Pause]:
    for pause in pauses:
        if isinstance(pause, Hold):
            pause.arrived.set()
            yield pause.released
        elif pause is not None:
            yield Until(clock, pause)


def _delivery(response: Response, faults: tuple[Fault, ...]) -> Delivery:
    body = response.body
    cut = next((fault.cut for fault in faults if fault.cut is not None), None)
    if cut is not None:
        body = body[: int(len(body) * cut)]
    drip = next((fault.drip for fault in faults if fault.drip is not None), None)
    size, every = drip or (max(1, len(body)), 0.0)
    pieces = tuple(body[start : start + size] for start in range(0, len(body), size))
    return Delivery(response, pieces, every, whole=cut is None)

"""What TLC finds out about what may last for ever."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import attrs

from models.tlc import modules
from models.tlc.checker import ModelError, Run
from splus_session.explore import Slice, slices

ENDLESS: dict[str, Slice] = {
    "AnExpiredSessionIsRenewedOrEnded": slices.VISITORS,
    "ATokenThatThePlatformHasVoidedIsFoundOut": slices.REJECTION,
    "ABannedUsersSessionEnds": slices.REJECTION,
    "ATerminatedSessionIsLeft": slices.REJECTION,
}
"""What is not promised, and a slice in which it indeed never comes to that."""


class Settled(NamedTuple):
    """What came of one slice."""

    name: str
    states: int
    seconds: float


def settles(slice: Slice, more: int = -1) -> Settled:
    """Have TLC see that in a slice nothing lasts for ever that should not.

    Args:
        slice: which.
        more: how many attempts more there may be. Fewer by default: to know what happened last makes
            worlds many.

    Raises:
        ModelError: something does.
    """
    promised, _ = modules.liveness()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        states = begin(Path(name), slice, promised, more=more).states()
    return Settled(slice.name, states, time.perf_counter() - started)


def is_endless(hope: str) -> bool:
    """Whether TLC finds that what is not promised may fail."""
    with tempfile.TemporaryDirectory() as name:
        try:
            begin(Path(name), ENDLESS[hope], [hope], more=0).states()
        except ModelError as error:
            if "Error: Temporal properties were violated." in str(error):
                return True
            raise
    return False


def begin(
    folder: Path, slice: Slice, sentences: Iterable[str], *, more: int, invariants: Iterable[str] = ()
) -> Run:
    """Write down what TLC needs to look for what lasts; it does when the run is iterated over."""
    bounded = attrs.evolve(slice, most_attempts=slice.most_attempts + more)
    modules.write_modules(folder, bounded, over="Liveness")
    configuration = modules.live_configuration(bounded, sentences, invariants)
    (folder / "lasting.cfg").write_text(configuration, "utf-8")
    return Run(folder, modules.module_name(bounded), "lasting.cfg")

"""`make prove`: prove everything, print what was proved and under which assumptions; 1 if anything fails.

With `--lock`, the figures become those that are kept.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import chain
from typing import NamedTuple

from models import figures
from models.proofs import windows
from models.proofs.claims import CLAIMS, Relation, Verdict, judge
from models.proofs.inclusion import Ways, steps_in
from models.proofs.nonproperties import NON_PROPERTIES
from splus_session import LIFECYCLE, Config
from splus_session.explore import Slice
from splus_session.explore.slices import SLICES

ASSUMPTIONS = """
Assumed, and not proved here
  * Numbers are real numbers. The code's are floats, which differ from them by their rounding: some
    30 microseconds in the year 9999, a quarter of one today.
  * The events, times and figures are those that the constructors let through: no NaN, nothing beyond
    the year 9999, figures within their bounds. The session's clock has been read at least once.
  * Chance is any number from 0 up to 1, and a power of two is any number from 1 on; what the jitter's
    generator makes of its seed, and how often a backoff doubles, is not looked into.
  * A driver applies what is due before it asks for an authorisation, as `SessionCore` does.
  * How far the platform's clock is ahead of what the session takes it for, and how long a request is
    on its way, are bounded by what is called skew and latency. They are not measured.
  * The relation is what the code does. It is read off the code by running it on symbols; that this was
    done rightly is checked, and not proved: with every step that the explorer finds, and with what
    time brings next and a caller gets in each of its sessions.
"""


def main(arguments: list[str] | None = None) -> int:
    """Prove, print, and say whether anything failed."""
    parser = argparse.ArgumentParser(prog="make prove", description="Prove what holds without bounds.")
    parser.add_argument("--lock", action="store_true", help="keep the figures of this run")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    relation = Relation()
    print(
        f"The relation, read off the code: {len(relation.steps)} ways through a step, "
        f"{len(relation.moves_of_the_clock)} through a move of the clock, "
        f"{len(relation.prospects)} through what is due and what is authorised "
        f"({time.perf_counter() - started:.1f} s)"
    )
    untaken = set(LIFECYCLE) - {edge.row for edge in relation.steps}
    for row in sorted(untaken, key=str):
        print(f"  FAILED  no way takes {row}")
    print("\nProved of every session, for any lifetime, lateness, clock, figures and number of logins")
    proofs = _told((judge(claim, relation) for claim in CLAIMS), proved="proved", refuted="FAILED")
    failed = [verdict for verdict in proofs if verdict.counterexample is not None]
    print("\nNot so, and found not to be")
    others = _told((judge(claim, relation) for claim in NON_PROPERTIES), proved="FAILED", refuted="not so")
    failed += [verdict for verdict in others if verdict.counterexample is None]
    bounds = _print_windows(relation)
    steps, outside = _print_steps(relation)
    print(ASSUMPTIONS)
    count = len(failed) + len(untaken) + outside
    print(
        f"{len(proofs)} proofs, {len(others)} counterexamples, {count} failed; "
        f"{time.perf_counter() - started:.1f} s"
    )
    if count:
        return 1
    ours = {
        "ways": len(relation.steps),
        "proofs": len(proofs),
        "counterexamples": len(others),
        **bounds,
        "steps looked up": steps,
    }
    return 0 if figures.agree("proved", ours, lock=options.lock) else 1


def _told(verdicts: Iterable[Verdict], *, proved: str, refuted: str) -> list[Verdict]:
    """Print each verdict as it comes, an unexpected one in full."""
    told = []
    for verdict in verdicts:
        told.append(verdict)
        outcome = proved if verdict.counterexample is None else refuted
        claim = verdict.claim
        print(f"  {outcome}  {verdict.seconds:5.2f} s  {claim.name}")
        print(
            f"                    [{', '.join(claim.requirements)}] {claim.method}, {verdict.breaches} ways"
        )
        if outcome == "FAILED" and verdict.counterexample is not None:
            print("    " + verdict.counterexample.replace("\n", "\n    "))
        sys.stdout.flush()
    return told


def _print_windows(relation: Relation) -> figures.Figures:
    print("\nIs a token asked to be renewed before it expires, wherever the looks at the clock fall?")
    watchers = (windows.OURS, windows.POLL)
    print(f"  {'lifetime':>8}  " + "  ".join(f"{watcher.name}, {watcher.every:g} s" for watcher in watchers))
    for name, lives in windows.LIFETIMES.items():
        hits = [windows.always_hit(watcher, lives, relation) for watcher in watchers]
        cells = [
            f"{'always' if hit else 'not always':>{len(f'{watcher.name}, {watcher.every:g} s')}}"
            for hit, watcher in zip(hits, watchers, strict=True)
        ]
        print(f"  {name:>8}  " + "  ".join(cells))
    bounds = {watcher.name: float(windows.enough(watcher, relation)) for watcher in watchers}
    told = ", ".join(f"{name}: {seconds:.5g} s" for name, seconds in bounds.items())
    print(f"  Always from which lifetime on: {told}.")
    print("  A timer of ours that is on time never misses; the table is about machines that sleep.")
    leeway, lifetime = windows.least_leeway(relation), windows.least_lifetime(relation)
    print(
        f"\nNo request arrives dead under {windows.SKEW_SECONDS} s of skew and {windows.LATENCY_SECONDS} s "
        f"of latency\n"
        f"  The least leeway that is enough: {leeway} s "
        f"(ours is {Config().leeway:g} s).\n"
        f"  The least lifetime for which ours is enough: {lifetime} s."
    )
    return {
        "always asked in time from": bounds,
        "least leeway": float(leeway),
        "least lifetime": float(lifetime),
    }


class LookedUp(NamedTuple):
    """What came of the steps of one slice."""

    name: str
    steps: int
    objection: str | None
    seconds: float


def look_up(slice: Slice, ways: Ways) -> LookedUp:
    """Look every step that the explorer finds in a slice up in the relation."""
    started = time.perf_counter()
    steps = steps_in(slice, unbounded=True)
    snapshots = {step.before for step in steps}
    objections = chain(ways.objections(steps), ways.objections_to_prospects(snapshots))
    return LookedUp(slice.name, len(steps), next(objections, None), time.perf_counter() - started)


def _look_up_elsewhere(slice: Slice) -> LookedUp:
    return look_up(slice, _ways())


@cache
def _ways() -> Ways:
    """Of a process that does nothing but look steps up: z3's terms do not travel."""
    return Ways(Relation())


def _looked_up(relation: Relation) -> Iterator[LookedUp]:
    if len(SLICES) < 2:
        yield from (look_up(slice, Ways(relation)) for slice in SLICES)
        return
    with ProcessPoolExecutor() as processes:
        yield from processes.map(_look_up_elsewhere, SLICES)


def _print_steps(relation: Relation) -> tuple[dict[str, int], int]:
    """How many steps of each slice were looked up; and in how many slices some are not of the relation."""
    print("\nAre the steps that the explorer finds, in any number of logins, of that relation?")
    found = []
    for name, steps, objection, seconds in _looked_up(relation):
        found.append((name, steps, objection))
        outcome = "all of them" if objection is None else "FAILED"
        print(f"  {outcome}  {seconds:5.2f} s  {name}, {steps:,} steps", flush=True)
        if objection is not None:
            print(f"    {objection}")
    return {name: steps for name, steps, _ in found}, sum(objection is not None for *_, objection in found)


if __name__ == "__main__":
    sys.exit(main())

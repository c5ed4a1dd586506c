"""Traces of sessions that ran, followed by the model: whether it can do what they did.

A trace is a list of entries, tuples of the model's words. The first word says what an entry is:

- `("step", labels, kind, commands, session)`: the session heard of something: which of these the model
  may call it, whether it was taken, what was commanded, and the session afterwards;
- `("may", label)`: the platform may have done this by now, and the session not heard of it;
- `("time", ticks)`: so much time passed between two looks at the clock;
- `("done", command)`: the driver has stored, or tells;
- `("called", hook)`: a hook of the app's is called;
- `("kill",)`: the process died;
- `("end",)`: the process is over, and has done all that it should.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from models.tlc.checker import Run
from models.tlc.graphs import parsed
from models.tlc.modules import TLA, constants_of, tla
from splus_session import SessionKind
from splus_session.explore import Slice, View, Who

Entries = Sequence[View]
"""One trace."""

EVERYTHING = Slice(
    name="traces",
    about="all that a driver's session may meet, as often as it does: a trace says what did happen",
    logins=(
        *(Who(SessionKind.AUTH_TOKEN, user, own) for user in "ab" for own in (False, True)),
        Who(SessionKind.ACCESS_TOKEN),
        Who(SessionKind.VISITOR, "v"),
        Who(SessionKind.SIGNED_VISITOR, "v"),
        Who(SessionKind.BOT, "v"),
    ),
    handlers_change=True,
    app=frozenset({"logout", "secure_logout", "renew_now", "cancel"}),
    handler=("auth token", "signature", "fresh", "late", "dead", "unable"),
    answers=("granted", "refused", "lost", "foreign"),
    rejects=True,
    ends=("banned", "deleted"),
    kills=True,
    most_attempts=1_000,
    most_late=1_000,
    most_processes=1_000,
    most_owed=1_000,
)
"""The slice whose figures a driver must have for its trace to be followed."""

NOWHERE = -1
BEFORE = 4
"""How many entries are told before the one that the model does not follow."""


class Refusal(NamedTuple):
    """A trace that the model cannot follow to its end."""

    trace: int
    at: int
    """How many of its entries it followed."""


def refusals(traces: Sequence[Entries]) -> list[Refusal]:
    """Those that are not traces of the model, and where they leave it."""
    followed = dict.fromkeys(range(len(traces)), 0)
    for line in _run(traces, NOWHERE):
        trace, at = parsed(line)
        followed[trace - 1] = max(followed[trace - 1], at)
    return [Refusal(number, at) for number, at in followed.items() if at < len(traces[number])]


def _run(traces: Sequence[Entries], stuck: int) -> Iterable[str]:
    """What TLC prints of them: how far it came; and, after so many entries, what the model has there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in TLA.glob("*.tla"):
            shutil.copy(path, folder)
        (folder / "Recorded.tla").write_text(_module(traces, stuck), "utf-8")
        (folder / "Trace.cfg").write_text(_configuration(), "utf-8")
        yield from Run(folder, "Trace", "Trace.cfg")


def _module(traces: Sequence[Entries], stuck: int) -> str:
    each = ",\n".join(f"<<{', '.join(map(tla, trace))}>>" for trace in traces)
    lines = [f"The{name} == {tla(value)}" for name, value in _constants().items()]
    lines += [f"Stuck == {stuck}", f"Traces == <<\n{each}>>"]
    return "\n".join(["---- MODULE Recorded ----", "EXTENDS Integers", *lines, "====", ""])


def _configuration() -> str:
    constants = [f"    {name} <- The{name}" for name in _constants()]
    return "\n".join(["INIT Begin", "NEXT FollowOn", "VIEW TraceView", "CONSTANTS", *constants, ""])


def _constants() -> dict[str, object]:
    # An answer may take its time, and the token that it brings is then younger by that.
    return {**constants_of(EVERYTHING), "Lifetimes": frozenset(range(-1, EVERYTHING.lifetimes[0] + 1))}


# ── Words ───────────────────────────────────────────────────────────────────────────────────────


def told(trace: Entries, at: int) -> str:
    """The first entry that the model does not follow, how it came to that, and what the model has instead.

    Args:
        trace: the trace.
        at: how many of its entries the model follows.
    """
    lines = ["the model cannot do what the driver's session did:"]
    lines += [f"{number:>5}. {described(trace[number])}" for number in range(max(0, at - BEFORE), at)]
    lines += [f"{at:>5}. {described(trace[at])}", "      there the model"]
    had = [parsed(line) for line in _run([trace], at) if not line.startswith("<<1, ")]
    return "\n".join([*lines, *sorted({f"        {line}" for line in _had(trace[at], had)})])


def _had(entry: View, had: Iterable[View]) -> list[str]:
    """What the model has where it does not follow: of a step, those that begin with the same word."""
    if entry[0] in {"done", "called", "end"}:
        return [
            f"owes {' '.join(map(str, owes)) or 'nothing'}"
            + (f", and {len(hooks)} hooks run" if hooks else "")
            for word, owes, hooks in had
            if word == "owes"
        ]
    if entry[0] != "step":
        return ["cannot do that"]
    words = {label[0] for label in entry[1]}
    steps = [
        ("step", (label,), kind, commands, session)
        for word, (label, kind, commands), session in (each for each in had if each[0] == "does")
        if label[0] in words and kind
    ]
    told = [f"has {described(step)}{_differing(entry, step)}" for step in steps]
    return told or [f"has nothing of the name {', '.join(sorted(words))}"]


def _differing(entry: View, step: View) -> str:
    if entry[2:4] != step[2:4] or step[1][0] not in entry[1]:
        return ""
    parts = [
        f"{ours} and not {theirs}" for ours, theirs in zip(step[4], entry[4], strict=True) if ours != theirs
    ]
    return f" with {'; '.join(parts)}" if parts else ""


def described(entry: View) -> str:
    """An entry in a line."""
    match entry:
        case ("step", labels, kind, commands, session):
            told = " or ".join(" ".join(map(str, label)) for label in labels)
            ordered = "".join(f", {' '.join(map(str, command))}" for command in commands)
            return f"{told}: {kind}{ordered}; is {session[0]}"
        case ("may", label):
            return f"the platform may have done this: {' '.join(label)}"
        case ("time", ticks):
            return f"{ticks} ticks pass"
        case ("done" | "called" as word, command):
            return f"{word}: {' '.join(map(str, command))}"
        case (word,):
            return {"kill": "the process dies", "end": "all is done"}[word]
        case _:
            raise ValueError(f"no entry of a trace: {entry}")

"""What of the model is made from the library: the table of the life cycle, and the slices."""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from splus_session import LIFECYCLE, Row
from splus_session._core import reason_of
from splus_session.explore import TICK, Slice

TLA = Path(__file__).parents[1] / "tla"
"""Where the modules are that are written by hand, and the table."""

_LEAST = 12
"""Names of properties are whole sentences, and longer than any helper's."""


def table(rows: Iterable[Row] = LIFECYCLE) -> str:
    """The life cycle as a module over `Rules`: an operator for each event, a line for each row."""
    events: dict[str, list[Row]] = {}
    for row in rows:
        events.setdefault(row.event, []).append(row)
    parts = [
        f"{' MODULE Table ':-^77}",
        "(* GENERATED from LIFECYCLE by `make generate`; a test keeps it fresh. Do not edit. *)",
        "EXTENDS Rules",
    ]
    for event, its_rows in events.items():
        parts += ["", f"{event}(s, e) =="]
        for number, row in enumerate(its_rows):
            parts += [f"    {'ELSE IF' if number else 'IF'} {_condition(row)}", f"    THEN {_outcome(row)}"]
        parts.append("    ELSE Dropped(s)")
    parts += ["", "Step(s, e) =="]
    for number, event in enumerate(events):
        parts.append(f'    {"  []" if number else "CASE"} e.name = "{event}" -> {event}(s, e)')
    return "\n".join([*parts, "=" * 77, ""])


def _condition(row: Row) -> str:
    guards = [f"{'' if guard.expected else '~'}{guard.name}(s, e)" for guard in row.guards]
    return " /\\ ".join([f's.state = "{row.source.value}"', *guards])


def _outcome(row: Row) -> str:
    draft = f'Draft(s, "{row.target.value}")'
    for reaction in row.reactions:
        draft = f"{reaction}({draft}, e)"
    changes = row.target is not row.source
    reason = reason_of(row).value if changes or row.hooks else ""
    return f"Done(s, {draft}, {tla(changes)}, {tla(reason)}, {tla(row.hooks)})"


def module_name(slice: Slice) -> str:
    """What the slice's module is called."""
    return "".join(word.capitalize() for word in slice.name.split())


def slice_module(slice: Slice, over: str = "Properties") -> str:
    """A module with the slice's constants."""
    lines = [f"The{name} == {tla(value)}" for name, value in constants_of(slice).items()]
    return "\n".join([f"---- MODULE {module_name(slice)} ----", f"EXTENDS {over}", *lines, "====", ""])


def configuration(
    slice: Slice, invariants: Iterable[str], actions: Iterable[str], *, prints_edges: bool = True
) -> str:
    """What TLC is to check in a slice, having it print every edge that it sees, unless nobody wants them.

    The label of an edge is no part of the world: states are told apart by `View`.
    """
    printing = "\nACTION_CONSTRAINT Emit" if prints_edges else ""
    return _configuration(slice, f"SPECIFICATION Spec\nVIEW View{printing}", invariants, actions)


def live_configuration(slice: Slice, sentences: Iterable[str], invariants: Iterable[str] = ()) -> str:
    """What TLC is to look for in a slice that may last for ever."""
    return _configuration(slice, "SPECIFICATION LiveSpec\nVIEW LiveView", invariants, sentences)


def _configuration(slice: Slice, head: str, invariants: Iterable[str], sentences: Iterable[str]) -> str:
    return "\n".join(
        [
            head,
            *("CONSTANTS", *(f"    {name} <- The{name}" for name in constants_of(slice))),
            *("INVARIANTS", *(f"    {name}" for name in invariants)),
            *("PROPERTIES", *(f"    {name}" for name in sentences)),
            "",
        ]
    )


def write_modules(folder: Path, slice: Slice, text: str | None = None, *, over: str = "Properties") -> None:
    """Put together in a folder what TLC reads.

    Args:
        folder: where.
        slice: whose constants.
        text: another table than the library's.
        over: the module with the sentences to check.
    """
    for path in TLA.glob("*.tla"):
        shutil.copy(path, folder)
    (folder / "Table.tla").write_text(text or table(), "utf-8")
    (folder / f"{module_name(slice)}.tla").write_text(slice_module(slice, over), "utf-8")
    (folder / "slice.cfg").write_text(configuration(slice, *properties()), "utf-8")


def properties(text: str | None = None) -> tuple[list[str], list[str]]:
    """The names of the invariants and of the action properties in `Properties.tla`, in their order."""
    source = (TLA / "Properties.tla").read_text("utf-8") if text is None else text
    worlds, edges = source.split("(* Of everything that happens ")
    invariants = re.findall(rf"^([A-Z]\w{{{_LEAST},}}) ==", worlds, re.MULTILINE)
    actions = re.findall(rf"^([A-Z]\w{{{_LEAST},}}) ==\s+\[\]\[", edges, re.MULTILINE)
    return invariants, actions


def liveness() -> tuple[list[str], list[str]]:
    """The names in `Liveness.tla` of what does not last for ever, and of what is not promised."""
    source = (TLA / "Liveness.tla").read_text("utf-8")
    promised, not_promised = source.split("(* What is not promised, ")
    named = re.compile(r"^([A-Z]\w+) ==\s+(?:Fair|\[\]<><<TRUE>>_live) =>", re.MULTILINE)
    return named.findall(promised), named.findall(not_promised)


def property_name(sentence: str) -> str:
    """The name in the model of what a sentence says of the code."""
    words = re.split(r"[\s_]+", sentence.replace("'", ""))
    return "".join(word[:1].upper() + word[1:] for word in words)


def constants_of(slice: Slice) -> Mapping[str, object]:
    """What a slice is in the model, by the names of its constants."""
    config = slice.config
    lasting = [lifetime for lifetime in slice.lifetimes if lifetime > 0]
    [life] = lasting
    return {
        "Life": 2 * life,
        "Answer": _half_ticks(config.answer_timeout),
        "Pause": _half_ticks(config.pause),
        "Young": _half_ticks(config.auth_token_lifetime),
        "Wait": _half_ticks(config.wait_limit),
        "Development": config.development,
        "SessionHandler": slice.session_handler,
        "AccessTokenHandler": slice.access_token_handler,
        "Logins": frozenset(who.words for who in slice.logins),
        "HandlersChange": slice.handlers_change,
        "App": slice.app,
        "HandlerWords": frozenset(slice.handler),
        "Answers": frozenset(slice.answers),
        "Lifetimes": frozenset(slice.lifetimes),
        "FirstLifetime": slice.lifetimes[0],
        "Rejects": slice.rejects,
        "Ends": frozenset(slice.ends),
        "Repeats": slice.repeats,
        "Sleep": slice.sleeps,
        "Kills": slice.kills,
        "MostAttempts": slice.most_attempts,
        "MostLate": slice.most_late,
        "MostProcesses": slice.most_processes,
        "MostOwed": slice.most_owed,
    }


def _half_ticks(seconds: float) -> int:
    return round(2 * seconds / TICK)


def tla(value: object) -> str:
    """A value as TLA+ writes it."""
    match value:
        case bool():
            return str(value).upper()
        case int():
            return str(value)
        case str():
            return f'"{value}"'
        case tuple():
            return f"<<{', '.join(map(tla, value))}>>"
        case frozenset():
            return f"{{{', '.join(sorted(map(tla, value)))}}}"
        case _:
            raise TypeError(f"the model knows nothing like {value!r}")

"""Runs Spin over the slice `repeats`, and makes the part of its model that is made from the library."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from models.tlc.checker import MissingToolError, ModelError
from models.tlc.modules import constants_of
from splus_session import LIFECYCLE, Row
from splus_session._core import reason_of
from splus_session.explore import slices

MODEL = Path(__file__).with_name("repeats.pml")
"""What is written by hand."""

HEARD = (
    *("login", "logout"),
    *("session_opened", "login_failed", "token_renewed", "renewal_failed", "token_orphaned"),
    *("renewal_due", "renewal_answered", "renewal_unable", "answer_overdue", "token_expired"),
)
"""The events of the slice. Rows for others are left out: nobody there logs in otherwise, cancels, logs out
securely, registers a handler or asks for a renewal; there is no ban, no 401, and nothing is resumed."""

_FIGURES = {
    "LIFE": "Life",
    "ANSWER": "Answer",
    "PAUSE": "Pause",
    "YOUNG": "Young",
    "MOST_ATTEMPTS": "MostAttempts",
    "MOST_LATE": "MostLate",
}
"""What they are called here, and in the model for TLC."""

_COMPLETE = ("Full statespace search for:", "errors: 0")
_INCOMPLETE = ("Search not completed", "max search depth too small")


def figures() -> str:
    """How long things take in the slice, and how many there are."""
    constants = constants_of(slices.REPEATS)
    return "".join(f"#define {name} {constants[other]}\n" for name, other in _FIGURES.items())


def table(rows: Iterable[Row] = LIFECYCLE) -> str:
    """The life cycle. Rows are tried in order, and one is taken at most."""
    lines = ["inline step() {"]
    for row in rows:
        if row.event in HEARD:
            lines += ["    if", f"    :: {_condition(row)} -> {_outcome(row)}", "    :: else", "    fi;"]
    return "\n".join([*lines, "    skip", "}", ""])


def _condition(row: Row) -> str:
    guards = [f"{'' if guard.expected else '!'}{guard.name}" for guard in row.guards]
    return " && ".join(["!taken", f"event == {row.event}", f"state == {row.source.value}", *guards])


def _outcome(row: Row) -> str:
    reason = reason_of(row).value if row.target is not row.source else "0"
    [hook] = row.hooks or ("0",)
    taken = f"take({row.target.value}, {reason}, {hook})"
    return "; ".join([taken, *(f"{reaction}()" for reaction in row.reactions)])


def edges(model: str | None = None, rows: Iterable[Row] = LIFECYCLE, flags: Sequence[str] = ()) -> list[str]:
    """Every edge that Spin's verifier sees, as TLC would write it.

    Args:
        model: another text than that of `MODEL`.
        rows: another table than the library's.
        flags: more of them, for the verifier.

    Raises:
        MissingToolError: there is no Spin, or no compiler for what it makes.
        ModelError: the search failed, or did not see all.
    """
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            raise MissingToolError(f"there is no {tool} here; apt-get install spin gcc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "figures.pml").write_text(figures(), "utf-8")
        (folder / "table.pml").write_text(table(rows), "utf-8")
        (folder / "model.pml").write_text(MODEL.read_text("utf-8") if model is None else model, "utf-8")
        # -o2: what is written and only printed is part of a state all the same.
        _run(folder, "spin", "-o2", "-a", "model.pml")
        # Every state is kept in full, and no order of steps is taken for another.
        _run(folder, "gcc", "-DSAFETY", "-DNOREDUCE", "-DPRINTF", "-o", "pan", "pan.c")
        # -b: a path that is too long is an error; -E: a bounded world ends somewhere.
        said = _run(folder, "./pan", "-b", "-E", *flags)
    if any(words not in said for words in _COMPLETE) or any(words in said for words in _INCOMPLETE):
        raise ModelError("\n".join(line for line in said.splitlines() if not line.startswith("<<")))
    return list(_printed(said))


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise ModelError(f"{' '.join(command)}:\n{done.stdout}")
    return done.stdout


def _printed(said: str) -> Iterator[str]:
    for line in said.splitlines():
        if line.startswith("<<") and not line.endswith("beyond the limit"):
            yield line

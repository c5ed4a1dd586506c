"""The one door to everything in this repository that is generated and committed.

``make generate`` runs it; with ``--check`` it writes nothing and names what is stale, which
``tests/test_generated.py`` does too. To add a file, add a line to `REGISTRY`. A generator returns what
the file should hold; it does not write, and it gives the same answer whenever its sources are the same.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import requirements_table

ROOT: Final = Path(__file__).resolve().parents[2]


class Generated(NamedTuple):
    """A file that is generated."""

    name: str
    """What it is called on the command line."""
    path: str
    """Where it is, relative to the root of the repository."""
    generate: Callable[[], str | bytes]
    """Returns what it should hold; text is written in UTF-8."""

    def stale_content(self, root: Path = ROOT) -> bytes | None:
        """Return what the file should hold, or None if it already does."""
        content = self.generate()
        wanted = content.encode() if isinstance(content, str) else content
        path = root / self.path
        return None if path.is_file() and path.read_bytes() == wanted else wanted

    def write(self, content: bytes, root: Path = ROOT) -> None:
        """Write the file, and make the folder that it is in."""
        path = root / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def lifecycle() -> str:
    """Compile the chart; python-statemachine is imported here and nowhere at run time."""
    from splus_session._chart import SessionChart
    from splus_session._table import compile_chart, render

    return render(compile_chart(SessionChart))


def the_meanings() -> str:
    """What the names on the chart's rows come to, read from the source of the rules."""
    import meanings

    return meanings.page()


def session_dot() -> str:
    """The picture of the life cycle, in Graphviz's language."""
    from splus_session.diagram import Diagram

    return Diagram().to_dot()


def session_svg() -> bytes:
    """The same, drawn."""
    from splus_session.diagram import Diagram

    return Diagram().draw()


def digests() -> str:
    """What every language and picture comes to, byte by byte, whatever the process and the Python."""
    import hashlib
    import json

    from splus_session.diagram import FORMATS, Diagram

    told = {
        f"{view} as {form}": hashlib.sha256(Diagram(view=view, dropped=True).render(form)).hexdigest()
        for view in ("overview", "full")
        for form in FORMATS
        if form != "pdf"  # which the system's Graphviz draws, with the time in it
    }
    return json.dumps(told, indent=1) + "\n"


def model_table() -> str:
    """The same table as a module of the formal model."""
    _find_models()
    from models.tlc.modules import table

    return table()


def model_readme() -> str:
    """The sentences that are checked, in the page about the formal model."""
    _find_models()
    import model_pages

    return model_pages.model_readme()


def proved_tested_assumed() -> str:
    """The figures in the page about what is known, and how."""
    _find_models()
    import model_pages

    return model_pages.page()


def drivers_page() -> str:
    """What the drivers' sessions can be asked for, side by side."""
    import drivers_table

    return drivers_table.page()


def states_page() -> str:
    """What each state is, and what leads in and out."""
    import states

    return states.page()


def errors_page() -> str:
    """The errors, with their codes."""
    import errors_table

    return errors_table.page()


def conformance_page() -> str:
    """What the clients in this repository keep, and what they are known to break."""
    import conformance_page

    return conformance_page.page()


def _find_models() -> None:
    if str(ROOT) not in sys.path:  # where `models` and `tests` are
        sys.path.append(str(ROOT))


# In this order: an earlier one has been written when a later one reads it. A name may have several files.
REGISTRY: Final[Sequence[Generated]] = (
    Generated("lifecycle", "src/splus_session/_lifecycle.py", lifecycle),
    Generated("lifecycle", "src/splus_session/_meanings.py", the_meanings),
    Generated("model", "models/tla/Table.tla", model_table),
    Generated("diagrams", "docs/images/session.dot", session_dot),
    Generated("diagrams", "docs/images/session.svg", session_svg),
    Generated("diagrams", "tests/diagram/digests.json", digests),
    Generated("requirements", "docs/reference/requirements.md", requirements_table.page),
    Generated("drivers", "docs/reference/drivers.md", drivers_page),
    Generated("states", "docs/reference/lifecycle.md", states_page),
    Generated("errors", "docs/reference/errors.md", errors_page),
    Generated("conformance", "docs/reference/conformance.md", conformance_page),
    Generated("proofs", "models/README.md", model_readme),
    Generated("proofs", "docs/explanation/proved-tested-assumed.md", proved_tested_assumed),
)


def stale(entries: Sequence[Generated], root: Path = ROOT) -> Iterator[tuple[Generated, bytes]]:
    """Yield the files that do not hold what they should, one by one, with what that is."""
    for entry in entries:
        if (content := entry.stale_content(root)) is not None:
            yield entry, content


def main(
    arguments: Sequence[str] | None = None,
    registry: Sequence[Generated] = REGISTRY,
    root: Path = ROOT,
) -> int:
    """Write what is stale, or with ``--check`` only name it and return 1 if there is anything."""
    parser = argparse.ArgumentParser(description="Write the generated files that are stale.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if any is stale")
    names = sorted({entry.name for entry in registry})
    parser.add_argument("--only", metavar="NAME", choices=names, help=f"one of {', '.join(names)}")
    options = parser.parse_args(arguments)
    check: bool = options.check
    only: str | None = options.only
    chosen = [entry for entry in registry if only in (None, entry.name)]
    status = 0
    for entry, content in stale(chosen, root):
        if check:
            print(f"{entry.path} is stale: run `make generate`", file=sys.stderr)
            status = 1
        else:
            entry.write(content, root)
            print(f"{entry.path} is written")
    return status


if __name__ == "__main__":
    sys.exit(main())

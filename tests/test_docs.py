"""The code in the documentation runs as it stands, and prints what the page says."""

import ast
import contextlib
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, Self

import anyio
import pytest

from splus_session.platform import REGIONS

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(
    page.relative_to(DOCS).as_posix()
    for folder in ("", "how-to/", "explanation/", "reference/")
    for page in DOCS.glob(f"{folder}*.md")
    if "```python\n" in page.read_text("utf-8")
)
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def run(code: str, page: Path, line: int, names: dict[str, Any], expected: str) -> str:
    """Run a block as if it were typed in; gives what it printed, with what came of it until that is as expected."""
    compiled = compile("\n" * line + code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        running = eval(compiled, names)  # noqa: S307  it is our own
        if inspect.isawaitable(running):
            await running
        # Whoever types takes a while, in which the loop goes on.
        with anyio.move_on_after(5):
            while printed.getvalue() != expected:  # noqa: ASYNC110  a string tells nobody
                await anyio.sleep(0.01)
    return printed.getvalue()


@pytest.mark.parametrize("name", PAGES)
async def test_a_pages_code_runs_and_prints_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = DOCS / name
    text = page.read_text("utf-8")
    names: dict[str, Any] = {"__name__": "page"}
    monkeypatch.chdir(tmp_path)
    blocks = [(found[1], found[2], text[: found.start(2)].count("\n")) for found in BLOCK.finditer(text)]
    for (kind, code, line), (following, expected, _) in pairwise([*blocks, ("", "", 0)]):
        if kind == "python":
            expected = expected if following == "text" else ""
            assert await run(code, page, line, names, expected) == expected, f"line {line + 1}"


# ── Pages whose code is typed in ────────────────────────────────────────────────────────────────

# What they say to start: the last command of a block.
STARTED = re.compile(r"^```sh\npip install .+\npython(?: -m (\w+))?\n```$", re.MULTILINE)
TYPED = [name for name in PAGES if STARTED.search((DOCS / name).read_text("utf-8"))]


class Prompt:
    """A real one, in a terminal of its own. What the code prints goes to a file, and what went wrong to another:
    a terminal shows what is typed in as well, and moves the cursor about."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._printed, self._complained = folder / "printed", folder / "complained"
        self._entered = 0
        self._terminal, theirs = os.openpty()
        environment = {**os.environ, "TERM": "xterm", "HOME": str(folder), "PYTHONUTF8": "1"}
        environment.pop("PYTHONSTARTUP", None)
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._watcher = Thread(target=self._look_away, daemon=True)
        self._watcher.start()
        self._type(f"import sys; sys.stdout = open({str(self._printed)!r}, 'w', 1)")
        self._type(f"sys.stderr = open({str(self._complained)!r}, 'w', 1); sys.ps1 = sys.ps2 = ''")

    def _look_away(self) -> None:
        """Read what the terminal shows, or it would stand still one day."""
        with contextlib.suppress(OSError):
            while os.read(self._terminal, 4096):
                pass

    def _type(self, line: str) -> None:
        os.write(self._terminal, f"{line}\n".encode())

    def enter(self, code: str) -> tuple[str, str]:
        """Enter a block, and then an empty line; gives what it printed, and what the prompt complained of."""
        if not code or sys.version_info < (3, 13):
            for line in code.splitlines():
                self._type(line)
        else:  # where lines are indented while one types, so that this would indent them twice: paste it
            os.write(self._terminal, f"\x1b[200~{code.rstrip()}\x1b[201~\n".encode())
        self._type("")
        self._type("print('\\x04')")
        deadline = time.monotonic() + 30
        self._entered += 1
        while len(printed := self._read(self._printed).split("\x04\n")) <= self._entered:
            # A loop that waits for what was not typed in right never ends.
            assert time.monotonic() < deadline, self._read(self._complained) or printed[-1]
            time.sleep(0.01)
        return printed[-2], self._read(self._complained)

    @staticmethod
    def _read(file: Path) -> str:
        return file.read_text("utf-8") if file.exists() else ""

    def __enter__(self) -> Self:
        try:
            self.enter("")  # until it is there
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._watcher.join()
        os.close(self._terminal)


def test_the_pages_that_speak_of_a_prompt_say_how_to_start_it() -> None:
    speaking = {name for name in PAGES if "python -m asyncio" in (DOCS / name).read_text("utf-8")}
    assert speaking | {"tutorial.md"} == set(TYPED)


@pytest.mark.parametrize("name", TYPED)
def test_what_is_meant_for_a_prompt_can_be_typed_in(name: str, tmp_path: Path) -> None:
    text = (DOCS / name).read_text("utf-8")
    started = STARTED.search(text)
    assert started is not None
    blocks = [(found[1], found[2]) for found in BLOCK.finditer(text)]
    with Prompt(["-m", started[1]] if started[1] else [], tmp_path) as prompt:
        for (kind, code), (following, shown) in pairwise([*blocks, ("", "")]):
            if kind == "python":
                assert prompt.enter(code) == (shown if following == "text" else "", ""), code


@pytest.mark.parametrize("name", [*TYPED, "how-to/threads.md"])
def test_a_page_to_be_tried_says_what_to_install(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    [command] = re.findall(r"pip install [^`\n]+", text)
    _, _, ours, *others = shlex.split(command)
    extras = set(ours.removeprefix(".[").removesuffix("]").split(","))
    assert extras < set(metadata("splus-session").get_all("Provides-Extra", []))
    there = {"splus_session", *others}
    for needed in metadata("splus-session").get_all("Requires-Dist", []):
        package, _, marker = needed.partition(";")
        if any(re.search(rf"extra == ['\"]{extra}['\"]", marker) for extra in extras):
            there |= set(re.findall(r"^[\w-]+", package))
    code = "".join(found[2] for found in BLOCK.finditer(text) if found[1] == "python")
    imported: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            imported |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            imported.add(node.module.partition(".")[0])
    assert imported - sys.stdlib_module_names <= there
    assert set(others) <= imported


def test_the_regions_that_pages_name_are_those_that_there_are() -> None:
    said = [
        re.findall(r"`(\w+)`", found[1])
        for name in PAGES
        for found in re.finditer(
            r"region of your\sapplication, which is (.+?):", (DOCS / name).read_text("utf-8")
        )
    ]
    assert said == [[*REGIONS], [*REGIONS]]


def test_no_block_of_another_kind_goes_untested() -> None:
    kinds = {
        (page.relative_to(DOCS).as_posix(), kind)
        for page in DOCS.rglob("*.md")
        for kind in re.findall(r"^`{3,}(\w+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {each for each in kinds if each[1] not in ("python", "text")} == {
        ("tutorial.md", "sh"),  # above
        ("how-to/asyncio-and-trio.md", "sh"),
        ("how-to/backend.md", "sh"),
        ("how-to/conformance.md", "sh"),  # conformance/test_how_to.py
        ("how-to/diagrams.md", "sh"),  # test_diagrams_page.py
        ("how-to/diagrams.md", "make"),
        ("how-to/diagrams.md", "markdown"),
        ("how-to/diagrams.md", "rst"),
        ("reference/protocol.md", "json"),  # conformance/test_protocol_page.py
    }

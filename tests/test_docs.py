"""The code in the documentation runs as it stands, and prints what the page says."""

import ast
import codeop
import contextlib
import inspect
import io
import re
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

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


def typed(code: str) -> str:
    """What a prompt is still waiting for the end of, after these lines and an empty one."""
    prompt = codeop.CommandCompiler()
    prompt.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    begun: list[str] = []
    for line in [*code.splitlines(), ""]:
        begun.append(line)
        if prompt("\n".join(begun)) is not None:
            begun.clear()
    return "\n".join(begun)


@pytest.mark.parametrize(
    "name", [name for name in PAGES if "python -m asyncio" in (DOCS / name).read_text("utf-8")]
)
def test_what_is_meant_for_a_prompt_can_be_typed_in(name: str) -> None:
    for found in BLOCK.finditer((DOCS / name).read_text("utf-8")):
        if found[1] == "python":
            assert typed(found[2]) == "", found[2]


def test_what_the_tutorial_installs_there_is() -> None:
    [extras] = re.findall(
        r"^pip install '\.\[(.+)\]'$", (DOCS / "tutorial.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(extras.split(",")) < set(metadata("splus-session").get_all("Provides-Extra", []))


def test_no_block_of_another_kind_goes_untested() -> None:
    kinds = {
        (page.relative_to(DOCS).as_posix(), kind)
        for page in DOCS.rglob("*.md")
        for kind in re.findall(r"^`{3,}(\w+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {each for each in kinds if each[1] not in ("python", "text")} == {
        ("tutorial.md", "sh"),
        ("how-to/conformance.md", "sh"),  # conformance/test_how_to.py
        ("how-to/diagrams.md", "sh"),  # test_diagrams_page.py
        ("how-to/diagrams.md", "markdown"),
        ("how-to/diagrams.md", "rst"),
        ("reference/protocol.md", "json"),  # conformance/test_protocol_page.py
    }

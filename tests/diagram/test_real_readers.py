"""Mermaid and PlantUML themselves read what is written in their languages, and find in it what we do."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from splus_session import LIFECYCLE, Row, SessionState
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES
from tests.npm import CannotInstallError, installed

VENDOR = Path(__file__).parent / "vendor"
LINK = "https://example.org/a?b=1#c"

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "overview": {},
    "full": {"view": "full"},
    "everything": {
        "view": "full",
        "dropped": True,
        "path": LIFECYCLE[:1],
        "active": SessionState.ESTABLISHED,
        "direction": "right",
        "theme": "dark",
        "links": {"established": LINK},
        "title": 'Life: of <a> "session" #1; 100 %',
    },
    "some events": {"events": ["user_banned"], "theme": "both"},
}


def diagrams() -> list[Any]:
    found = [pytest.param(LIFECYCLE, look, id=f"session-{name}") for name, look in LOOKS.items()]
    return [
        *found,
        *(
            pytest.param(LIFECYCLES["door"], {"view": view}, id=f"door-{view}")
            for view in ("overview", "full")
        ),
    ]


# ── Mermaid ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def packages() -> Path:
    try:
        return installed(VENDOR)
    except CannotInstallError as error:
        pytest.skip(f"NOT RUN: {error}")


def unescaped(text: str) -> str:
    """Mermaid keeps numbers for letters, in a spelling of its own, until it draws."""
    number = re.compile(r"(?:#|ﬂ°°)(\d+)(?:;|¶ß)")
    return number.sub(lambda found: chr(int(found[1])), text)


@pytest.mark.parametrize(("lifecycle", "look"), diagrams())
def test_mermaid_reads_what_we_read(
    packages: Path, lifecycle: Sequence[Row], look: Mapping[str, Any]
) -> None:
    diagram = Diagram(lifecycle, **look)
    command = ["node", str(VENDOR / "read_mermaid.mjs"), str(packages)]
    run = subprocess.run(command, input=diagram.to_mermaid().encode(), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    read = json.loads(run.stdout)
    ours = readers.mermaid(diagram.to_mermaid())
    states = {node["id"]: node for node in read["nodes"] if node["shape"] in ("rect", "rectWithTitle")}
    names = {ident: unescaped(node["label"]) for ident, node in states.items()}
    assert {
        names[i]: [unescaped(d) for d in node.get("description") or []] for i, node in states.items()
    } == ours.boxes
    arrows = [edge for edge in read["edges"] if edge["start"] in states and edge["end"] in states]
    assert {
        (names[edge["start"]], names[edge["end"]]): [unescaped(part) for part in edge["label"].split("<br>")]
        for edge in arrows
    } == ours.arrows
    assert len(arrows) == len(ours.arrows)
    assert [names[edge["end"]] for edge in read["edges"] if edge["start"] == "root_start"] == [
        state for state in [ours.initial] if state is not None
    ]
    [note] = [node["label"] for node in read["nodes"] if node["shape"] == "note"]
    assert note.split() == ours.legend.split()
    active = [names[ident] for ident, node in states.items() if "active" in node["cssClasses"].split()]
    assert active == [look["active"].value] if "active" in look else not active
    assert read["links"] == ({"established": LINK} if "links" in look else {})


# ── PlantUML ────────────────────────────────────────────────────────────────────────────────────


def plantuml() -> list[str]:
    if shutil.which("plantuml") is None:
        pytest.skip("NOT RUN: there is no PlantUML here; apt-get install plantuml")
    return ["plantuml"]


@pytest.mark.parametrize(("lifecycle", "look"), diagrams())
def test_plantuml_finds_no_fault_and_as_many_states(
    lifecycle: Sequence[Row], look: Mapping[str, Any]
) -> None:
    diagram = Diagram(lifecycle, **look)
    run = subprocess.run(
        [*plantuml(), "-syntax"], input=diagram.to_plantuml().encode(), capture_output=True, check=True
    )
    ours = readers.plantuml(diagram.to_plantuml())
    entities = len(ours.boxes) + (ours.initial is not None)
    assert run.stdout.decode().split("\n")[:2] == ["STATE", f"({entities} entities)"]
    draw = [*plantuml(), "-pipe", "-tsvg", "-graphvizdot", readers.GRAPHVIZ]
    run = subprocess.run(draw, input=diagram.to_plantuml().encode(), capture_output=True, check=True)
    drawn = " ".join("".join(readers.parsed(run.stdout).itertext()).replace("\xa0", " ").split())
    for state in ours.boxes:
        assert state in drawn

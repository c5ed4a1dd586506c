"""Mermaid draws in a real browser what a diagram says, to the letter: its parser alone does not tell."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from splus_session import LIFECYCLE, Row, SessionState
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES
from tests.npm import CannotInstallError, installed

if TYPE_CHECKING:
    from playwright.sync_api import Page

VENDOR = Path(__file__).parents[1] / "diagram" / "vendor"
DRAW = """async (text) => {
  mermaid.initialize({ startOnLoad: false });
  const { svg } = await mermaid.render("drawn", text);
  document.body.innerHTML = svg;
  const shown = document.querySelectorAll("foreignObject, svg > text");
  return {
    texts: [...shown].map((each) => each.textContent),
    description: document.querySelector("svg > desc")?.textContent,
  };
}"""


@pytest.mark.parametrize(
    ("lifecycle", "look"),
    [
        (LIFECYCLE, {}),
        (LIFECYCLE, {"view": "full", "active": SessionState.ESTABLISHED, "dropped": True}),
        (LIFECYCLES["door"], {"title": "in the direction LR"}),
        (LIFECYCLES["door"], {"view": "full"}),
    ],
)
def test_mermaid_draws_every_word(lifecycle: Sequence[Row], look: Mapping[str, Any], page: "Page") -> None:
    try:
        script = installed(VENDOR) / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    except CannotInstallError as error:
        pytest.skip(f"NOT RUN: {error}")
    diagram = Diagram(lifecycle, **look)
    page.set_content("<!DOCTYPE html><body></body>")
    page.add_script_tag(path=script)
    drawn = page.evaluate(DRAW, diagram.to_mermaid())
    letters = squeezed("".join(drawn["texts"]))
    said = readers.mermaid(diagram.to_mermaid())
    for lines in (said.boxes, *said.boxes.values(), *said.arrows.values()):
        for line in lines:
            assert squeezed(line) in letters
    assert drawn["description"].startswith("A state machine with ")


def squeezed(text: str) -> str:
    """Without spaces, which are drawn as breaks where a line is too long."""
    return "".join(text.replace("\xa0", " ").split())

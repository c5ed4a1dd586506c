"""The figures that the runs of `make explore`, `make model` and `make prove` come to.

They are kept in `figures.json`, from which pages quote them. Each run compares its own with those: one
that came to other figures looked at something else, and that should be meant. `make lock` writes them.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("figures.json")

Figures = Mapping[str, Any]
"""Names and numbers, or more of these below a name; as JSON has them."""


def kept(path: Path = PATH) -> dict[str, Any]:
    """All figures, by what they are of."""
    figures: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return figures


def agree(part: str, found: Figures, *, lock: bool, path: Path = PATH) -> bool:
    """Whether a run came to the figures that are kept; if not, says so.

    Args:
        part: what the figures are of.
        found: those of this run.
        lock: keep these from now on.
        path: where they are kept.
    """
    figures = kept(path) if path.exists() else {}
    if lock:
        figures = dict(sorted({**figures, part: found}.items()))
        path.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    elif figures.get(part) != found:
        print(f"{path.name} is stale in {part!r}: run `make lock` and look at what changed", file=sys.stderr)
        return False
    return True

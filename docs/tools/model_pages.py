"""What is proved, tested and assumed: the generated blocks of the pages that say so.

The figures are those that `make lock` kept.
"""

from pathlib import Path
from typing import Any

import ids
from blocks import filled

from models import figures
from models.sentences import NOT_MODELLED, Sentence, sentences
from models.tlc.modules import property_name
from splus_session.explore import slices
from splus_session.requirements import REQUIREMENTS

ROOT = Path(__file__).resolve().parents[2]
MODEL_README = ROOT / "models" / "README.md"
PAGE = ROOT / "docs" / "explanation" / "proved-tested-assumed.md"


def model_readme() -> str:
    """The page about the formal model."""
    return filled(MODEL_README, {"sentences": _sentences})


def page() -> str:
    """The page about what is proved, tested and assumed."""
    return filled(
        PAGE,
        {"slices": _slices, "figures": _figures, "windows": _windows, "requirements": _requirements},
    )


def _table(head: str, rows: list[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *rows])


def _tick(is_so: bool) -> str:
    return "yes" if is_so else ""


def _sentences() -> str:
    rows = []
    for each in sentences():
        in_model = f"`{property_name(each.name)}`" if each.model else ""
        cells = [each.name, ", ".join(each.requirements), _tick(each.explored), in_model]
        rows.append(f"| {' | '.join([*cells, _tick(each.drawn), _tick(each.proved)])} |")
    return _table("| sentence | requirements | explored | TLC, as | drawn | proved |", rows)


def _slices() -> str:
    kept = figures.kept()
    rows = []
    for slice in slices.SLICES:
        explored = kept["explored"]["slices"][slice.name]
        graph = kept["checked"]["graphs"][slice.name]
        rows.append(
            f"| {slice.name} | {slice.about} | {explored['states']:,} | {explored['edges']:,} "
            f"| {slice.most_attempts} | {graph['states']:,} | {graph['edges']:,} "
            f"| {kept['checked']['lasting'][slice.name]:,} |"
        )
    head = (
        "| slice | what is in it | states explored | edges explored | attempts in the model "
        "| its states | its edges, the same as the code's | states in which TLC looks for what lasts |"
    )
    return _table(head, rows)


def _figures() -> str:
    kept = figures.kept()
    all_of_them = list(sentences())
    explored, checked, proved = kept["explored"]["slices"], kept["checked"]["graphs"], kept["proved"]
    words: dict[str, Any] = {
        "sentences in all": len(all_of_them),
        "of these explored over the real core": sum(each.explored for each in all_of_them),
        "of these checked by TLC in the model": sum(each.model for each in all_of_them),
        "of these tested on drawn sessions, one event at a time": sum(each.drawn for each in all_of_them),
        "of these proved by z3": sum(each.proved for each in all_of_them),
        "states explored, with no limit to attempts": sum(each["states"] for each in explored.values()),
        "edges explored": sum(each["edges"] for each in explored.values()),
        "states of the model, with a limit to attempts": sum(each["states"] for each in checked.values()),
        "edges of the model, the same as the code's": sum(each["edges"] for each in checked.values()),
        "ways through a step that were read off the code for z3": proved["ways"],
        "other sentences, to which z3 has to find a counterexample and does": proved["counterexamples"],
    }
    return _table("| what | how many |", [f"| {what} | {number:,} |" for what, number in words.items()])


def _windows() -> str:
    proved = figures.kept()["proved"]
    bounds = proved["always asked in time from"]
    rows = [f"| {who} | {_duration(seconds)} |" for who, seconds in bounds.items()]
    return _table("| who looks at the clock | lifetime from which on it asks before expiry |", rows)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 600 else f"{seconds:.1f} s"


def _requirements() -> str:
    all_of_them = list(sentences())
    rows = []
    for id, requirement in REQUIREMENTS.items():
        mine = [each for each in all_of_them if id in each.requirements]
        link = ids.link(id, "../reference/requirements.md")
        rows.append(f"| {link} | {requirement.title} | {_known_by(mine) if mine else NOT_MODELLED[id]} |")
    return _table("| requirement | | sentences that speak for a part of it |", rows)


def _known_by(mine: list[Sentence]) -> str:
    counts = {
        "proved": sum(each.proved for each in mine),
        "explored": sum(each.explored for each in mine),
        "checked by TLC": sum(each.model for each in mine),
        "drawn at random": sum(each.drawn for each in mine),
    }
    told = ", ".join(f"{number} {how}" for how, number in counts.items() if number)
    return f"{len(mine)} sentence{'s' if len(mine) > 1 else ''}: {told}"

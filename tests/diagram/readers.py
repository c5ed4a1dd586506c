"""Reads back what a diagram says, in each of the languages that it is written in.

Nothing here is taken from what writes them: they are read as somebody would who knows the language, and the
few words that the legend explains.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

GRAPHVIZ = str(Path(sys.executable).parent / "graphviz-pure")
SCXML = "{http://www.w3.org/2005/07/scxml}"
SPLUS = "{https://splus-session.invalid/scxml}"


class Said(NamedTuple):
    """One row, as it is written; what a language does not say is empty."""

    source: str
    event: str
    target: str
    internal: bool
    guards: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    order: int | None = None


class Drawn(NamedTuple):
    """What there is to see, place by place."""

    initial: str | None
    boxes: dict[str, list[str]]
    """By the name of a state, the lines in its box."""
    arrows: dict[tuple[str, str], list[str]]
    """By the names of two states, the lines beside the arrow."""
    legend: str


# ── Labels ──────────────────────────────────────────────────────────────────────────────────────

_CAUSE = re.compile(r"(?P<event>\w+)(?: \((?P<order>\d+)\))?(?: \[(?P<guards>[^\]]+)\])?")
_WORDS = {"does": "reactions", "asks for": "commands", "runs": "hooks", "see": "requirements"}


def row(label: str, source: str, target: str, *, internal: bool) -> Said:
    """A label of the full view, which is one row."""
    cause, *said = label.split(" / ")
    found = _CAUSE.fullmatch(cause)
    assert found, label
    parts: dict[str, Any] = {}
    for each in said:
        word = next(word for word in _WORDS if each.startswith(f"{word} "))
        parts[_WORDS[word]] = tuple(each.removeprefix(f"{word} ").split(", "))
    guards = tuple((found["guards"] or "").split(" and ")) if found["guards"] else ()
    order = int(found["order"]) if found["order"] else None
    return Said(source, found["event"], target, internal, guards, order=order, **parts)


def rows(drawn: Drawn) -> Iterator[Said]:
    """All rows of a full view whose labels stand one a line."""
    for (source, target), labels in drawn.arrows.items():
        yield from (row(label, source, target, internal=False) for label in labels)
    for state, labels in drawn.boxes.items():
        yield from (row(label, state, state, internal=True) for label in labels)


def joined(lines: Iterable[str]) -> list[str]:
    """Labels of the full view, of lines: what follows from a cause is indented, and what goes on more so."""
    labels: list[str] = []
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            labels.append(line)
        elif depth == 4:
            labels[-1] += f" / {line.strip()}"
        else:
            labels[-1] += f" {line.strip()}"
    return labels


def events(lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The hooks by event, of the lines `a, b,` `c` and `runs on_x`, read as one would."""
    result: dict[str, tuple[str, ...]] = {}
    waiting: list[str] = []
    for line in lines:
        if line.startswith("runs "):
            result |= dict.fromkeys(waiting, tuple(line.removeprefix("runs ").split(", ")))
            waiting = []
        else:
            waiting += [event.rstrip(",") for event in line.split(", ") if event]
    assert not set(result) & set(waiting), "an event is drawn twice"
    return result | dict.fromkeys(waiting, ())


# ── DOT ─────────────────────────────────────────────────────────────────────────────────────────


def graphviz(dot: str, form: str) -> dict[str, Any]:
    """What Graphviz understands of a DOT."""
    run = subprocess.run([GRAPHVIZ, f"-T{form}"], input=dot.encode(), capture_output=True, check=True)
    return dict(json.loads(run.stdout))


def lines(label: str) -> list[str]:
    """The text of a label, line by line, less the two spaces on either side."""
    texts = ["".join(cell.itertext()).replace(r"\\", "\\") for cell in parsed(label).iter("td")]
    return [text.removeprefix("  ").removesuffix("  ") for text in texts]


def dot(text: str) -> Drawn:
    """What a DOT shows, by Graphviz's own reading."""
    picture = graphviz(text, "dot_json")
    names = [lines(node["label"])[0] if node["label"] else "" for node in picture["objects"]]
    boxes = {
        name: lines(node["label"])[1:] for name, node in zip(names, picture["objects"], strict=True) if name
    }
    arrows: dict[tuple[str, str], list[str]] = {}
    initial = None
    for edge in picture["edges"]:
        tail, head = names[edge["tail"]], names[edge["head"]]
        if not tail:
            initial = head
            continue
        assert (tail, head) not in arrows, "two arrows between the same states"
        arrows[tail, head] = lines(edge["label"])
    return Drawn(initial, boxes, arrows, " ".join(lines(picture["label"])))


# ── Mermaid and PlantUML ────────────────────────────────────────────────────────────────────────


def mermaid(text: str) -> Drawn:
    """What a Mermaid shows."""
    head, body = text.split("stateDiagram-v2\n")
    assert head.startswith("---\ntitle: ")
    return _drawn(body, re.compile(r"#(\d+);"), "<br>", ("note left of ", "end note"))


def plantuml(text: str) -> Drawn:
    """What a PlantUML shows."""
    assert text.startswith("@startuml\n")
    assert text.endswith("\n@enduml\n")
    return _drawn(text, re.compile(r"<U\+([0-9A-F]{4,})>"), "\\n", ("legend", "end legend"), base=16)


def _drawn(
    text: str, number: re.Pattern[str], line_break: str, legend: tuple[str, str], base: int = 10
) -> Drawn:
    def read(escaped: str) -> str:
        return number.sub(lambda found: chr(int(found[1], base)), escaped)

    names: dict[str, str] = {}
    boxes: dict[str, list[str]] = {}
    arrows: dict[tuple[str, str], list[str]] = {}
    initial: str | None = None
    words: list[str] | None = None
    said = ""
    for line in map(str.strip, text.splitlines()):
        if words is not None:
            if line == legend[1]:
                said, words = " ".join(words), None
            else:
                words.append(read(line))
        elif line.startswith(legend[0]):
            words = []
        elif found := re.fullmatch(r'state "(.*)" as (\w+)( .*)?', line):
            names[found[2]] = read(found[1])
            boxes[names[found[2]]] = []
        elif found := re.fullmatch(r"\[\*\] --> (\w+)", line):
            initial = names[found[1]]
        elif found := re.fullmatch(r"(\w+) --> (\w+) : (.*)", line):
            pair = names[found[1]], names[found[2]]
            assert pair not in arrows, "two arrows between the same states"
            arrows[pair] = [read(part) for part in found[3].split(line_break)]
        elif (found := re.fullmatch(r"(\w+) : (.*)", line)) and found[1] in names:
            boxes[names[found[1]]].append(read(found[2]))
    return Drawn(initial, boxes, arrows, said)


# ── SCXML, JSON and tables ──────────────────────────────────────────────────────────────────────


def parsed(xml: str | bytes) -> ElementTree.Element:
    """The root of a document that we made ourselves."""
    return ElementTree.fromstring(xml)  # noqa: S314


def scxml(text: str) -> tuple[str | None, list[Said]]:
    """The initial state, and the rows."""
    root = parsed(text.encode())
    names = {state.get("id"): state.get(f"{SPLUS}name") or "" for state in root.iter(f"{SCXML}state")}
    found: list[Said] = []
    for state in root.iter(f"{SCXML}state"):
        for each in state.iter(f"{SCXML}transition"):
            logged = [
                (log.get("label"), (log.get("expr") or "").strip("'")) for log in each.iter(f"{SCXML}log")
            ]
            guards = [
                f"not {guard.removesuffix(' === false')}" if guard.endswith(" === false") else guard
                for guard in (each.get("cond") or "").split(" && ")
                if guard
            ]
            target = each.get("target")
            found.append(
                Said(
                    names[state.get("id")],
                    each.get("event") or "",
                    names[state.get("id") if target is None else target],
                    target is None,
                    tuple(guards),
                    tuple(name for label, name in logged if label == "reaction"),
                    (),
                    tuple(name for label, name in logged if label == "hook"),
                    tuple((each.get(f"{SPLUS}requirements") or "").split()),
                )
            )
    return names[root.get("initial")], found


def from_json(text: str) -> tuple[str | None, list[Said]]:
    """The initial state, and the rows."""
    content = json.loads(text)
    return content["initial"], [
        Said(
            each["source"],
            each["event"],
            each["target"],
            each["internal"],
            guards=tuple(f"{'' if guard['expected'] else 'not '}{guard['name']}" for guard in each["guards"]),
            reactions=tuple(each["reactions"]),
            commands=tuple(each["commands"]),
            hooks=tuple(each["hooks"]),
            requirements=tuple(each["requirements"]),
        )
        for each in content["transitions"]
    ]


def markdown(text: str) -> list[list[str]]:
    """The cells of a table, with its head."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table
    ]
    assert set(cells[1]) == {"---"}
    return [cells[0], *cells[2:]]


def rst(text: str) -> list[list[str]]:
    """The cells of a list table, with its head."""
    cells: list[list[str]] = []
    for line in text.splitlines():
        if found := re.fullmatch(r"   (\*|  ?) ?- ?(.*)", line):
            if found[1] == "*":
                cells.append([])
            cells[-1].append(found[2])
    return cells


def table_row(cells: Sequence[str], quote: str) -> Said:
    """A line of the table of rows."""

    def names(cell: str, between: str = ", ") -> tuple[str, ...]:
        return tuple(each.replace(quote, "") for each in cell.split(between)) if cell else ()

    source, event, guards, target, reactions, commands, hooks, requirements = cells
    found = re.fullmatch(rf"{quote}(\w+){quote}(?: \((\d+)\))?", event)
    assert found
    [home] = names(source)
    return Said(
        home,
        found[1],
        home if target == "stays" else target.replace(quote, ""),
        target == "stays",
        names(guards, " and "),
        names(reactions),
        names(commands),
        names(hooks),
        names(requirements),
        int(found[2]) if found[2] else None,
    )

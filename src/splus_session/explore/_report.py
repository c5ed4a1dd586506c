"""What happened on a way through a world, for people and as a test."""

import enum
from collections.abc import Iterable, Sequence
from typing import cast

import attrs

from splus_session._secrets import Secret
from splus_session._snapshot import Step
from splus_session.explore._monitors import Edge
from splus_session.explore._slice import TICK

_INDENT = " " * 16


def as_text(way: Iterable[Edge]) -> str:
    """A way in words: what happened, one thing after the other, and what the session commanded."""
    lines: list[str] = []
    for number, edge in enumerate(way, 1):
        lines.append(f"{number:>3}. {edge.after.now / TICK:>3g} ticks  {' '.join(map(str, edge.label))}")
        step = edge.step
        if step is None:
            continue
        if step.dropped is not None:
            lines.append(f"{_INDENT}dropped: {step.dropped}")
        if step.before.state is not step.after.state:
            lines.append(f"{_INDENT}{step.before.state.value} -> {step.after.state.value}")
        lines += [f"{_INDENT}{command}" for command in step.commands]
    return "\n".join(lines)


def as_pytest(way: Sequence[Edge], sentence: str) -> str:
    """A way as a test, which fails for as long as the way ends as it does now.

    Args:
        way: what happened; the last thing is what must not be.
        sentence: what does not hold, in words. The test is named after it.

    Raises:
        ValueError: the session heard of nothing on this way.
    """
    steps = [edge.step for edge in way if edge.step is not None]
    if not steps:
        raise ValueError("the session heard of nothing on this way")
    *before, last = steps
    first = way[0].before.session
    return "\n".join(
        [
            "from splus_session import *",
            "",
            "",
            f"def test_{'_'.join(sentence.split())}() -> None:",
            f"    core = SessionCore({_code(first.config)})",
            f"    core.receive(HandlersChanged({first.session_handler}, {first.access_token_handler}), 0.0)",
            *(f"    core.snapshot = {_call(step)}.after" for step in before),
            f"    last = {_call(last)}",
            "    assert (last.after.state, last.dropped, last.commands) != (",
            f"        {_code(last.after.state)},",
            f"        {_code(last.dropped)},",
            f"        {_code(last.commands)},",
            "    )",
            "",
        ]
    )


def _call(step: Step) -> str:
    return f"step(core.snapshot, {_code(step.event)}, now={step.before.now!r})"


def _code(value: object) -> str:
    """A value as Python makes it. What is secret here, the world made up."""
    name = type(value).__name__
    if isinstance(value, Secret):
        return f"{name}({value.reveal()!r})"
    if isinstance(value, enum.Enum):
        return f"{name}.{value.name}"
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return f"({''.join(f'{_code(item)}, ' for item in items).rstrip()})"
    if attrs.has(type(value)):
        usual = attrs.fields_dict(cast("type[attrs.AttrsInstance]", type(value)))
        given = ((name, getattr(value, name), field.default) for name, field in usual.items())
        told = [f"{name}={_code(it)}" for name, it, default in given if it != default]
        return f"{name}({', '.join(told)})"
    return repr(value)

"""The lines of an adapter: each is what the protocol knows, or is refused by name."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splus_session.conformance._lines import DEEPEST, KINDS, AdapterError, Idle, Look, Told, parse

STATES = ("notLoggedIn", "establishing", "established", "tokenExpired", "terminated")
COUNTS = st.integers(0, 2**70)
ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""With halves of characters, too."""
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=15
)

FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "state": {"client": ANY_TEXT, "observer": COUNTS, "state": st.sampled_from(STATES)},
    "done": {"of": COUNTS},
    "failed": {"of": COUNTS, "kind": st.sampled_from(sorted(KINDS))},
    "renewal": {"client": ANY_TEXT, "renewal": COUNTS},
    "token_renew": {"client": ANY_TEXT, "renewal": COUNTS},
    "hook": {"client": ANY_TEXT, "hook": ANY_TEXT},
    "uncaught": {"message": ANY_TEXT},
}
"""The page's events, with the fields that they must have."""
DEVICE_IDS = st.text(st.characters(exclude_characters="&").filter(str.isprintable), max_size=150)
LOOKS = st.builds(Look, st.sampled_from(STATES), st.none() | ANY_TEXT, st.none() | DEVICE_IDS)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it should be, with fields that nobody asked for."""
    event = draw(st.sampled_from(sorted(FIELDS)))
    more = draw(
        st.dictionaries(ANY_TEXT.filter(lambda name: name not in ("idle", "client")), ANY_JSON, max_size=2)
    )
    return {**more, "event": event, **{name: draw(values) for name, values in FIELDS[event].items()}}


@st.composite
def idles(draw: st.DrawFn) -> tuple[dict[str, Any], Idle]:
    """An idle line as it should be, and what it says."""
    number, looks = draw(COUNTS), draw(st.dictionaries(ANY_TEXT, LOOKS, max_size=3))
    line: dict[str, Any] = {"idle": number, "clients": {name: _written(look) for name, look in looks.items()}}
    if draw(st.booleans()):
        line |= {"sent": draw(COUNTS), "open": draw(COUNTS)}
    return line, Idle(number, looks, line.get("sent"), line.get("open"), line)


def _written(look: Look) -> dict[str, object]:
    return {"state": look.state, "user_id": look.user_id, "device_id": look.device_id}


def written(content: object) -> bytes:
    """As a line, without its end."""
    return json.dumps(content).encode()


def refusal(line: bytes) -> str:
    """What is said of a line that is none."""
    with pytest.raises(AdapterError) as refused:
        parse(line)
    return str(refused.value)


# ── Whatever comes ──────────────────────────────────────────────────────────────────────────────


def is_read_or_refused(line: bytes) -> None:
    refused: AdapterError | None = None
    said: object = None
    try:
        said = parse(line)
    except AdapterError as error:
        refused = error
    if refused is None:
        assert isinstance(said, Told | Idle)
        json.dumps(said.fields)  # what was read can be written again
    else:
        # Of a long one, whatever may be half a secret is not shown.
        start = re.sub(r"[A-Za-z0-9_.~+/=-]+\Z", "", line[:120].decode("utf-8", "replace"))
        shown = line.decode("utf-8", "replace") if len(line) <= 120 else f"{start}…"
        assert repr(shown) in str(refused)
        assert refused.__suppress_context__ or refused.__context__ is None
        assert len(str(refused)) < 2000


@pytest.mark.requirement("SECRET-3")
@given(st.binary())
@example(b"")
@example(b"\xff\xfe{}")
@example(b'{"idle": 1' + b"0" * 5000 + b"}")
@example(b"[" * 100_000)
@example(b'{"event": ' * 100_000)
@example(b'{"idle": 1, "x": ' + b"[" * 900 + b"]" * 900 + b"}")
@example(b'{"idle": NaN}')
@example(b'{"idle": 1e999}')
@example(b'{"event": "uncaught", "message": "\\ud800"}')
@example(b'{"idle": 1, "clients": {"\\ud800": {"state": "\\udfff"}}}')
@example(b"{}" * 600_000)
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    is_read_or_refused(line)


@pytest.mark.requirement("SECRET-3")
@given(ANY_JSON)
def test_any_json_is_read_or_refused(content: object) -> None:
    is_read_or_refused(written(content))


@pytest.mark.requirement("SECRET-3")
@given(events() | idles().map(lambda both: both[0]), st.data())
def test_a_line_with_one_wrong_field_is_read_or_refused(line: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(line)))
    is_read_or_refused(written({**line, name: data.draw(ANY_JSON)}))
    del line[name]
    is_read_or_refused(written(line))


# ── What is well-formed ─────────────────────────────────────────────────────────────────────────


@given(events())
def test_an_event_comes_back_as_it_was_written(line: dict[str, Any]) -> None:
    told = parse(written(line))
    assert isinstance(told, Told)
    assert (told.event, told.client) == (line["event"], line.get("client", ""))
    assert written(told.fields) == written(line)


@given(idles())
def test_an_idle_line_comes_back_as_it_was_written(both: tuple[dict[str, Any], Idle]) -> None:
    line, said = both
    assert parse(written(line)) == said


# ── What is refused, and how it is said ─────────────────────────────────────────────────────────

STATE = {"event": "state", "client": "a", "observer": 0, "state": "established"}


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (["idle", 1], "it is no JSON object"),
        ({"evnt": "done", "of": 1}, "it has neither `idle` nor a known `event`"),
        ({"event": "dance"}, "it has neither `idle` nor a known `event`"),
        ({"event": ["done"]}, "it has neither `idle` nor a known `event`"),
        ({"event": "done"}, "`of` must be a whole number"),
        ({"event": "done", "of": True}, "`of` must be a whole number"),
        ({"event": "done", "of": 1.0}, "`of` must be a whole number"),
        ({"event": "done", "of": -1}, "`of` must be a whole number"),
        ({"event": "failed", "of": 1, "kind": "sad"}, "no kind of error is called so"),
        ({"event": "failed", "of": 1}, "`kind` must be a text"),
        ({**STATE, "state": "LoggedIn"}, "no state is called so"),
        ({**STATE, "client": None}, "`client` must be a text"),
        ({"event": "renewal", "client": "a", "renewal": "1"}, "`renewal` must be a whole number"),
        ({"event": "hook", "client": "a", "hook": 1}, "`hook` must be a text"),
        ({"event": "uncaught"}, "`message` must be a text"),
        ({"idle": "1"}, "`idle` must be a whole number"),
        ({"idle": 1, "clients": []}, "`clients` is no object"),
        ({"idle": 1, "clients": {"a": "established"}}, "how a client looks is an object"),
        ({"idle": 1, "clients": {"a": {"state": ["established"]}}}, "a client's `state` is one of"),
        ({"idle": 1, "clients": {"a": {**STATE, "user_id": 5}}}, "`user_id` and `device_id` are texts, or null"),
        ({"idle": 1, "clients": {"a": {**STATE, "device_id": "\ud800"}}}, "the platform takes no such `device_id`"),
        ({"idle": 1, "clients": {"a": {**STATE, "device_id": "d" * 151}}}, "the platform takes no such `device_id`"),
        ({"idle": 1, "clients": {"a": {**STATE, "device_id": "d&e"}}}, "the platform takes no such `device_id`"),
        ({"idle": 1, "sent": 1}, "`sent` and `open` go together"),
        ({"idle": 1, "sent": 1, "open": None}, "`open` must be a whole number"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said_and_how_it_begins_is_shown(content: object, problem: str) -> None:
    said = refusal(written(content))
    assert problem in said
    assert repr(json.dumps(content)[:110])[:-1] in said


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("line", [b"Listening on port 80", b"\x1b[2J", b'{"idle": 1', b"\xff\xfe"])
def test_a_line_that_is_no_json_is_shown_so_that_a_terminal_obeys_nothing(line: bytes) -> None:
    said = refusal(line)
    assert "it is no JSON" in said
    assert said.isprintable()


@pytest.mark.requirement("SECRET-3")
def test_a_line_may_be_nested_so_deep_and_no_deeper() -> None:
    def nested(levels: int) -> bytes:
        return b'{"idle": 1, "x": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert isinstance(parse(nested(DEEPEST)), Idle)
    assert f"nested more than {DEEPEST} deep" in refusal(nested(DEEPEST + 1))

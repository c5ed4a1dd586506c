import json
import math
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splus_session.platform._parse import (
    MAX_DEPTH,
    MAX_WAIT,
    code,
    document,
    http_date,
    iso_time,
    objects,
    retry_after,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# ── JSON ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("SECRET-3")
@given(st.binary())
def test_no_bytes_make_the_reader_raise(body: bytes) -> None:
    parsed = document(body)
    assert parsed is None or isinstance(parsed, dict)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_an_object_is_read_as_it_was_written(written: dict[str, object]) -> None:
    body = json.dumps(written)
    assert json.dumps(document(body.encode())) == body


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'"{}"', b"{", b'{"a":}', b"{}{}", b"\xff{}", b"null"])
def test_what_is_not_one_object_is_nothing(body: bytes) -> None:
    assert document(body) is None


def test_a_body_that_was_not_kept_is_nothing() -> None:
    assert document(None) is None


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("limit", [sys.getrecursionlimit(), 10**9])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('["\\"",', "]")])
def test_depth_is_bounded_by_us_and_not_by_the_interpreter(
    opening: str, closing: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nested(depth: int) -> bytes:
        return ('{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}").encode()

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(min(limit, 2**31 - 1))  # an app may do that; unbounded, we'd crash it
    try:
        assert document(nested(MAX_DEPTH)) is not None
        assert document(nested(MAX_DEPTH + 1)) is None
        assert document(nested(150_000)) is None
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_strings_are_no_depth() -> None:
    assert document(json.dumps({"a": "[" * 1000 + '\\"' + "{" * 1000}).encode()) is not None


def test_many_objects_side_by_side_are_no_depth() -> None:
    assert document(json.dumps({"a": [{}] * 1000}).encode()) is not None


def test_objects_are_those_of_an_array() -> None:
    assert objects([{"a": 1}, 2, [], {}]) == [{"a": 1}, {}]
    assert objects({"a": {}}) == []
    assert objects(None) == []


@pytest.mark.parametrize("number", [True, "400100", 400100.0, -1, 10**7, 10**400, None, [400100]])
def test_a_code_that_is_no_small_whole_number_is_none(number: object) -> None:
    assert code({"code": number}) is None


def test_a_code_is_read() -> None:
    assert code({"code": 400100}) == 400100
    assert code({}) is None
    assert code(None) is None


# ── times ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05.678Z", seconds("2026-01-02T03:04:05.678")),
        ("2026-01-02T03:04:05+07:00", seconds("2026-01-01T20:04:05")),
        ("2026-01-02T03:04:05", seconds("2026-01-02T03:04:05")),
        ("2026-01-02", seconds("2026-01-02T00:00:00")),
    ],
)
def test_iso_times_are_utc_seconds(text: str, expected: float) -> None:
    assert iso_time(text) == expected


@pytest.mark.requirement("EXPIRE-4", "SECRET-3")
@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", 1767322800, 1e300, math.nan, True, None, {}, []])
def test_what_is_no_iso_time_is_not_a_number(text: object) -> None:
    assert math.isnan(iso_time(text))


@pytest.mark.requirement("EXPIRE-4", "SECRET-3")
@given(st.text() | st.datetimes().map(str) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d([+-]\d\d:\d\d)?"))
@example("9999-12-31T24:00:00")
@example("0001-01-01T00:00:00+23:59")
def test_no_text_makes_a_time_raise(text: str) -> None:
    assert isinstance(iso_time(text), float)


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_an_http_date_is_read_in_all_its_forms(text: str) -> None:
    assert http_date(text) == 784_111_777


@pytest.mark.requirement("EXPIRE-4", "SECRET-3")
@given(
    st.text()
    | st.from_regex(
        r"\w{3}, \d{1,3} (Jan|Feb|Dec) \d{1,6} \d{1,3}:\d\d(:\d\d)? ([+-]\d{1,9}|GMT)", fullmatch=True
    )
)
@example("Sun, 06 Nov 1994 08:49:37 +99999999999999999999")
@example("Sun, 06 Nov 99999999999999999999 08:49:37 GMT")
def test_no_text_makes_a_date_raise(text: str) -> None:
    date = http_date(text)
    assert date is None or math.isfinite(date)


@pytest.mark.requirement("RENEW-7")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("999999999999", MAX_WAIT),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("Sun, 06 Nov 2094 08:49:37 GMT", MAX_WAIT),
        ("-1", None),
        ("1.5", None),
        ("NaN", None),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(text: str | None, expected: float | None) -> None:
    assert retry_after(text, now=784_111_740) == expected

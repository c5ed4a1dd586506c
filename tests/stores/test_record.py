import json
import math
import traceback
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._credentials import MAX_TIME, Credential, Record, SessionKind
from splus_session._errors import StoredRecordError, StoreError
from splus_session._secrets import AccessToken
from splus_session.stores._record import BEGINNING, Payload, decode, encode
from tests.stores.records import record
from tests.stores.strategies import records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


def fields(of: Record | None = None) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(encode(of or record()).reveal()))


def read(text: str) -> Record | str:
    """The record, or the message of the one error there may be."""
    try:
        return decode(Payload(text))
    except StoredRecordError as error:
        return str(error)


# ── writing ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGOUT-5")
@given(records())
def test_every_record_begins_with_what_it_is_found_by(of: Record) -> None:
    assert encode(of).reveal().startswith(BEGINNING)


@pytest.mark.requirement("RESUME-1")
@given(records())
def test_what_is_written_is_read_again_to_the_last_bit(stored: Record) -> None:
    again = decode(encode(stored))
    assert again == stored
    numbers = (again.credential.issued_at, again.credential.expires_at, again.offset)
    originals = (stored.credential.issued_at, stored.credential.expires_at, stored.offset)
    assert [repr(number) for number in numbers] == [repr(number) for number in originals]


@pytest.mark.requirement("RESUME-1")
def test_the_form_is_the_documented_one() -> None:
    # Records written by this version are read by all later ones: this form never changes.
    assert encode(record()).reveal() == (
        '{"format": "splus-session", "version": 1, "kind": "authToken", '
        '"accessToken": "header.claims.signature", "userId": "user-123", "issuedAt": 1700000000.5, '
        '"expiresAt": 1702592000.25, "expired": false, "offset": -0.1}'
    )


@given(records())
def test_it_is_plain_ascii(stored: Record) -> None:
    assert encode(stored).reveal().isascii()


@pytest.mark.parametrize("offset", [math.nan, math.inf, 1e300, "soon", None, True, AccessToken("canary")])
@pytest.mark.requirement("RESUME-2", "SECRET-1")
def test_what_could_not_be_read_again_is_not_written(offset: float) -> None:
    credential = Credential(AccessToken("canary"), "user-123", 0.0)
    with pytest.raises(StoreError) as caught:
        encode(Record(SessionKind.BOT, credential, expired=False, offset=offset))
    assert_shows_no_canary(caught.value)


def test_the_longest_session_there_can_be_is_written() -> None:
    token = AccessToken("\U0001f511" * AccessToken.max_length)  # twelve characters each, in JSON
    stored = Record(SessionKind.BOT, Credential(token, "u", 0.0), expired=True)
    assert decode(encode(stored)) == stored


# ── reading ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("RESUME-1")
@given(JSON | st.text())
def test_any_json_is_a_record_or_a_stored_record_error(anything: object) -> None:
    text = anything if isinstance(anything, str) else json.dumps(anything)
    assert isinstance(read(text or "x"), str)


@pytest.mark.requirement("RESUME-1")
@given(records(), st.sampled_from(sorted(fields())), JSON)
def test_any_value_in_any_field_is_a_record_or_a_stored_record_error(
    stored: Record, name: str, anything: object
) -> None:
    result = read(json.dumps(fields(stored) | {name: anything}))
    if isinstance(result, Record):
        # What was believed is as good as what was written by ourselves.
        assert decode(encode(result)) == result


@pytest.mark.requirement("RESUME-1")
@given(st.data())
def test_any_part_of_a_record_is_damaged(data: st.DataObject) -> None:
    text = encode(record()).reveal()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    cut = text[:start] + text[end:]
    if cut and cut != text:
        result = read(cut)
        # A cut inside a word or a number cannot be told; inside the structure it must be.
        assert isinstance(result, str) or fields(result).keys() == fields().keys()


BAD_FIELDS: dict[str, list[object]] = {
    "format": [None, "splus", 1],
    "version": [0, -1, None, "1", 1.0, True],
    "kind": ["emperor", None, [], {}],
    "accessToken": ["", None, 5, ["t"], "x" * (AccessToken.max_length + 1)],
    "userId": ["", None, 5],
    "issuedAt": [None, "soon", True, math.nan, MAX_TIME * 2, 1_702_592_001],
    "expiresAt": ["soon", False, -math.inf, -MAX_TIME * 2, 10**400],
    "expired": [None, 0, 1, "false"],
    "offset": [None, "none", True, math.inf, MAX_TIME * 2, 10**400],
}


@pytest.mark.parametrize(
    ("name", "bad"), [(name, bad) for name, values in BAD_FIELDS.items() for bad in values]
)
@pytest.mark.requirement("RESUME-1", "EXPIRE-4")
def test_a_field_that_is_not_what_it_should_be_is_refused(name: str, bad: object) -> None:
    assert isinstance(read(json.dumps(fields() | {name: bad})), str)


@pytest.mark.parametrize("name", sorted(fields()))
@pytest.mark.requirement("RESUME-1")
def test_a_field_that_is_missing_or_there_twice_is_refused(name: str) -> None:
    whole = fields()
    assert isinstance(read(json.dumps({key: value for key, value in whole.items() if key != name})), str)
    twice = json.dumps(whole)[:-1] + f", {json.dumps(name)}: {json.dumps(whole[name])}}}"
    assert isinstance(read(twice), str)


@pytest.mark.requirement("RESUME-1")
def test_an_unknown_field_is_refused() -> None:
    assert "unknown" in str(read(json.dumps(fields() | {"refreshToken": "x"})))


@pytest.mark.requirement("RESUME-1")
def test_a_later_version_is_told_from_damage_whatever_else_it_holds() -> None:
    later = {"format": "splus-session", "version": 2, "sealed": "…"}
    assert "later version" in str(read(json.dumps(later)))


@pytest.mark.requirement("RESUME-1")
@pytest.mark.parametrize("text", ["[" * 50_000, "{" * 50_000, '{"a":' * 50_000, "9" * 10_000, "[1e999]"])
def test_deep_long_or_huge_json_is_no_more_than_damaged(text: str) -> None:
    assert "damaged" in str(read(text))


# ── secrets ────────────────────────────────────────────────────────────────────────────────────────


def assert_shows_no_canary(error: BaseException) -> None:
    """Neither its message, nor what it hangs on, nor any variable of a frame of ours."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = "".join(
        f"{frame.line} {frame.locals}" for frame in shown.stack if "splus_session" in frame.filename
    )
    assert "canary" not in ours + str(error)
    assert error.__context__ is None


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("name", ["whole", *sorted(fields())])
def test_no_error_shows_what_is_stored(name: str) -> None:
    damaged = fields(record("canary-token", "canary-user"))
    text = json.dumps(damaged)[:-1] if name == "whole" else json.dumps(damaged | {name: ["canary"]})
    payload = Payload(text)
    with pytest.raises(StoredRecordError) as caught:
        decode(payload)
    assert_shows_no_canary(caught.value)


@pytest.mark.requirement("SECRET-1")
def test_what_is_written_shows_nothing_of_itself() -> None:
    assert "canary" not in repr(encode(record("canary")))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._errors import InvalidArgumentError
from splus_session.stores import session_key

ORIGIN = "https://apix.sg.amity.co"


@pytest.mark.requirement("RESUME-1")
@given(*[st.lists(st.sampled_from(["a", "b", "https://a:8", "#"]), min_size=1).map("".join)] * 4)
def test_another_key_or_slot_is_another_session(api_key: str, slot: str, other: str, other_slot: str) -> None:
    same = (api_key, slot) == (other, other_slot)
    assert (session_key(ORIGIN, api_key, slot) == session_key(ORIGIN, other, other_slot)) is same


@pytest.mark.requirement("RESUME-1", "CLIENT-2")
def test_another_origin_is_another_session() -> None:
    assert session_key(ORIGIN, "key") != session_key("https://apix.eu.amity.co", "key")


@pytest.mark.requirement("RESUME-1")
def test_a_session_is_found_again_by_the_next_version_too() -> None:
    # `printf %s api-key | sha256sum`: a key that changes its form loses everybody's login.
    digest = "8c284055dbb54b7f053a2dc612c3727c7aa36354361055f2110f4903ea8ee29c"
    assert session_key(ORIGIN, "api-key", "work") == f"{ORIGIN}#{digest}#work"
    assert session_key(ORIGIN, "api-key") == f"{ORIGIN}#{digest}#default"


@pytest.mark.requirement("SECRET-1")
def test_the_api_key_is_not_in_it() -> None:
    assert "canary" not in session_key(ORIGIN, "canary")


@pytest.mark.parametrize(
    ("origin", "api_key", "slot"),
    [
        ("", "key", "s"),
        (ORIGIN, "", "s"),
        (ORIGIN, "key", ""),
        ("https://a#b", "key", "s"),
        (ORIGIN, "key", "\ud800"),
    ],
)
@pytest.mark.requirement("SECRET-1")
def test_what_names_no_session_is_refused_without_showing_the_key(
    origin: str, api_key: str, slot: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        session_key(origin, api_key, slot)
    frame = caught.traceback[-1].frame
    assert "api_key" not in frame.f_locals
    assert "part" not in frame.f_locals

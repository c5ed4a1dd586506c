import copy
import pickle
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._credentials import Credential
from splus_session._errors import InvalidArgumentError
from splus_session._secrets import AccessToken, AuthToken, Secret
from splus_session.ports import Authorization

# Halves of surrogate pairs included: they come in by JSON, and no encoding takes them.
ANY_TEXT = st.text(st.characters(), min_size=1) | st.text("a\ud800\udfff", min_size=1)


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("value", ["CANARY", b"CANARY", ["CANARY"], AuthToken("CANARY")])
def test_what_is_no_access_token_is_refused_by_a_credential_and_not_shown(value: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Credential(value, "ann", 0.0)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame.locals for frame in shown.stack if "splus_session" in frame.filename]
    assert "CANARY" not in str(ours) + str(caught.value)


@pytest.mark.requirement("SECRET-1")
@given(ANY_TEXT, ANY_TEXT)
def test_secrets_compare_by_what_they_hold_whatever_that_is(one: str, other: str) -> None:
    assert (AuthToken(one) == AuthToken(other)) is (one == other)
    assert AuthToken(one) == AuthToken(one)
    assert hash(AuthToken(one)) == hash(AuthToken(one))
    assert AuthToken(one) != AccessToken(one)
    assert AuthToken(one) != one


@pytest.mark.requirement("SECRET-1")
def test_nothing_but_reveal_shows_a_secret() -> None:
    secret = Secret("CANARY")
    assert secret.reveal() == "CANARY"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", f"{secret:>40}", repr([secret])):
        assert "CANARY" not in shown


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_refuses_pickling(protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(Secret("CANARY"), protocol)
    assert "CANARY" not in str(caught.value)


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_authorization_refuses_pickling(protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps([Authorization("Bearer CANARY", attempt=1, until=0.0)], protocol)
    assert "CANARY" not in str(caught.value)


@pytest.mark.requirement("SECRET-1")
def test_a_copy_of_a_secret_is_the_secret_itself() -> None:
    secret = Secret("CANARY")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.requirement("SECRET-1", "SECRET-3")
@pytest.mark.parametrize("value", ["", None, 5, b"CANARY", ["CANARY"], "CANARY" * 3_000])
def test_what_is_no_secret_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Secret(value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame.locals for frame in shown.stack if "splus_session" in frame.filename]
    assert "CANARY" not in str(ours) + str(caught.value)

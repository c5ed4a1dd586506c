"""`value` makes classes that compare, hash, print and copy by their fields."""

import copy
import inspect
import pickle

import attrs
import pytest

from splus_session import Failure, FailureKind, Logout, SecureLogout, TokenConfirmed, TokenRefuted
from splus_session._snapshot import Snapshot
from splus_session.ports import Authorization


def test_values_are_equal_when_they_are_of_one_class_and_their_fields_are() -> None:
    assert Failure(FailureKind.BANNED, 403) == Failure(FailureKind.BANNED, status=403)
    assert Failure(FailureKind.BANNED, 403) != Failure(FailureKind.BANNED, 404)
    assert Logout() == Logout()
    others: list[object] = [TokenRefuted(1), TokenConfirmed(2), SecureLogout(), 1]
    assert TokenConfirmed(1) not in others
    assert Logout() not in others


def test_equal_values_have_one_hash_and_others_rarely() -> None:
    assert len({Failure(FailureKind.BANNED), Failure(FailureKind.BANNED)}) == 1
    assert len({TokenConfirmed(1), TokenRefuted(1), TokenConfirmed(2), Logout(), SecureLogout()}) == 5


def test_a_value_prints_its_fields_but_those_that_are_secret() -> None:
    assert repr(TokenConfirmed(1)) == "TokenConfirmed(attempt=1, clock=None)"
    assert repr(Logout()) == "Logout()"
    assert "canary" not in repr(Authorization("Bearer canary", 1, 2.0))
    assert repr(Authorization("Bearer canary", 1, 2.0)) == "Authorization(attempt=1, until=2.0, session=0)"


def test_a_class_keeps_a_repr_of_its_own() -> None:
    assert "__repr__" in vars(Snapshot)
    assert Snapshot.__repr__ is not Failure.__repr__


def test_values_are_made_and_taken_apart_like_those_of_any_class() -> None:
    assert Failure(FailureKind.BANNED) == Failure(kind=FailureKind.BANNED, status=None, code=None)
    with pytest.raises(TypeError, match=r"Failure\.__init__\(\) missing 1 required .* 'kind'"):
        Failure()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="Logout"):
        Logout(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    signature = inspect.signature(TokenConfirmed)
    assert str(signature).startswith("(attempt: int, clock: splus_session._events.ServerClock | None = None)")
    match Failure(FailureKind.BANNED, 403):
        case Failure(kind, status):
            assert (kind, status) == (FailureKind.BANNED, 403)
    assert attrs.has(Failure)
    assert [field.name for field in attrs.fields(TokenConfirmed)] == ["attempt", "clock"]
    assert attrs.asdict(TokenConfirmed(1)) == {"attempt": 1, "clock": None}
    assert attrs.fields(Logout) == ()


def test_values_copy_and_change_like_any_attrs_class() -> None:
    failure = Failure(FailureKind.BANNED, 403)
    assert copy.deepcopy(failure) == failure
    assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301  we made it
    assert attrs.evolve(failure, status=None) == Failure(FailureKind.BANNED)
    assert not hasattr(failure, "__dict__")

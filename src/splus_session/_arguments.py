"""What callers hand in, checked before anything is sent or changed."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from splus_session._commands import HookCall
from splus_session._config import Limits
from splus_session._core import HOOKS
from splus_session._errors import ConfigurationError, InvalidArgumentError, InvalidHandlerError
from splus_session._secrets import AuthToken, Sealed, Secret
from splus_session.ports import AccessTokenHandler, SessionHandler, Store

SecretT = TypeVar("SecretT", bound=Secret)

Hook = Callable[[HookCall], Any]
"""What a client supplies for a hook of the chart."""


def secret(kind: type[SecretT], sealed: Sealed) -> SecretT:
    """The secret in it, wrapped if it came as a string. No frame here ever names it. [SECRET-1]

    Raises:
        InvalidArgumentError: neither, empty, or too long.
    """
    if isinstance(sealed.value, kind):
        return sealed.value
    # Anything but a string, a secret of another kind included, is refused by the constructor.
    return kind(cast("str", sealed.value))


def auth_token(sealed: Sealed, limits: Limits) -> AuthToken | None:
    """An auth token within the platform's limit, if there is one. [LOGIN-10]"""
    if sealed.value is None:
        return None
    token = secret(AuthToken, sealed)
    length = len(token.reveal())
    if length > limits.auth_token:
        raise InvalidArgumentError(
            f"the auth token has {length} characters; the platform takes {limits.auth_token}"
        )
    return token


def user_id(given: object, limits: Limits) -> str:
    """A user id that the platform may know. [LOGIN-10]"""
    return _limited("user id", given, limits.user_id)


def display_name(given: object, limits: Limits) -> str | None:
    """A display name, if there is one. [LOGIN-10]"""
    return None if given is None else _limited("display name", given, limits.display_name)


def device_id(given: object, limits: Limits) -> str:
    """A device id. [LOGIN-10]"""
    return _limited("device id", given, limits.device_id)


def expires_at(given: object) -> str:
    """When a signature expires, to the letter as it was signed."""
    return _limited("signature's expiry", given, 64)


def _limited(what: str, given: object, limit: int) -> str:
    if not isinstance(given, str) or not given.strip():
        raise InvalidArgumentError(f"the {what} must be a string that is not empty")
    if given.encode(errors="replace").decode() != given:
        # No body in UTF-8 can hold it. A request that fails over it looks like a platform out of reach.
        raise InvalidArgumentError(f"the {what} has half of a surrogate pair in it")
    if len(given) > limit:
        raise InvalidArgumentError(f"the {what} has {len(given)} characters; the platform takes {limit}")
    return given


def session_handler(given: object, *, threaded: bool) -> SessionHandler | None:
    """A session handler, or None. [HANDLER-2]"""
    _check_handler(given, "session_will_renew_access_token", threaded)
    return cast("SessionHandler | None", given)


def access_token_handler(given: object, *, threaded: bool) -> AccessTokenHandler | None:
    """An access token handler, or None. [HANDLER-2]"""
    _check_handler(given, "on_token_renew", threaded)
    return cast("AccessTokenHandler | None", given)


def _check_handler(given: object, method: str, threaded: bool) -> None:
    if given is None:
        return
    found, kind = getattr(given, method, None), given if isinstance(given, type) else type(given)
    if not callable(found):
        raise InvalidHandlerError(f"a handler needs a method {method}(…); {kind.__name__} has none")
    if inspect.isfunction(found) and kind is given and not _takes_one_argument(found):
        raise InvalidHandlerError(f"pass an instance of {kind.__name__} as the handler, not the class")
    _one_argument(found, f"{kind.__name__}.{method}", threaded)


def store(given: object) -> Store:
    """A store.

    Raises:
        ConfigurationError: it lacks a method.
    """
    for method in ("load", "save", "delete", "device_id"):
        if not callable(getattr(given, method, None)):
            raise ConfigurationError(f"a store needs a method {method}(…)")
    return cast("Store", given)


def hooks(given: Mapping[str, Hook] | None, *, threaded: bool) -> dict[str, Hook]:
    """The client's hooks, by name. [HOOK-2]

    Raises:
        InvalidHandlerError: one that the chart does not name, that cannot be called with one
            argument, or that is async in a threaded session.
    """
    checked = dict(given or {})
    for name, hook in checked.items():
        if name not in HOOKS:
            raise InvalidHandlerError(f"no hook is called {name!r}; there are {', '.join(sorted(HOOKS))}")
        if not callable(hook):
            raise InvalidHandlerError(f"the hook {name} cannot be called")
        _one_argument(hook, f"the hook {name}", threaded)
    return checked


def observer(given: object, *, threaded: bool) -> Callable[..., Any]:
    """An observer's callback. [OBSERVE-1]"""
    if not callable(given):
        raise InvalidHandlerError("an observer must be callable with one argument, the change")
    _one_argument(given, "the observer", threaded)
    return given


def is_async(function: object) -> bool:
    """Whether calling it gives something to await."""
    call = getattr(function, "__call__", None)  # noqa: B004  the method is wanted, not the answer
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _one_argument(function: Callable[..., Any], what: str, threaded: bool) -> None:
    if threaded and is_async(function):
        raise InvalidHandlerError(f"{what} is async; a threaded session has no loop to run it in")
    if not _takes_one_argument(function):
        raise InvalidHandlerError(f"{what} must take one argument")


def _takes_one_argument(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(object())
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin that does not tell its signature
    return True

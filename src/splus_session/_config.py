"""The figures of a session, in one frozen object that any number of sessions share."""

from typing import Any

import attrs

from splus_session._errors import ConfigurationError

_BOUNDS = "bounds"


def _number(default: float, low: float, high: float) -> Any:
    """A field for a finite number from `low` to `high`."""
    return attrs.field(default=default, metadata={_BOUNDS: (low, high)})


def _check_numbers(configuration: "Limits | Config") -> None:
    for field in attrs.fields(type(configuration)):
        low, high = field.metadata.get(_BOUNDS, (None, None))
        number = getattr(configuration, field.name)
        if low is not None and (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not low <= number <= high  # also false for NaN
        ):
            raise ConfigurationError(
                f"{field.name} must be a number from {low:g} to {high:g}, got {number!r}"
            )


_MONTH = 31 * 24 * 3600.0


@attrs.frozen(kw_only=True)
class Limits:
    """The platform's limits on what a login sends, in characters. Override what it changes. [LOGIN-10]"""

    user_id: int = _number(50, 1, 10_000)
    display_name: int = _number(100, 1, 10_000)
    auth_token: int = _number(100, 1, 10_000)
    device_id: int = _number(150, 1, 10_000)

    def __attrs_post_init__(self) -> None:
        _check_numbers(self)


@attrs.frozen(kw_only=True)
class Config:
    """Windows, pauses, deadlines and limits. All times are seconds.

    Raises:
        ConfigurationError: a figure that is no number or out of its range.
    """

    development: bool = False
    """Whether a user id alone may log in. Production, the default, demands an auth token. [CLIENT-1]"""

    renewal_share: float = _number(0.8, 0.1, 1.0)
    """Renewal is asked after this share of (lifetime - margin). [RENEW-1]"""

    margin: float = _number(300.0, 0, _MONTH)
    """The margin before expiry; a tenth of the lifetime if that is shorter. [RENEW-1]"""

    jitter: float = _number(0.05, 0.0, 0.5)
    """Renewal is asked up to this share of its time earlier, never later, so that a fleet of
    sessions does not renew in the same second. [RENEW-1]"""

    leeway: float = _number(35.0, 0, _MONTH)
    """A token counts as expired this much before its time, for requests on their way; a tenth of
    the lifetime if that is shorter. [EXPIRE-2]"""

    answer_timeout: float = _number(60.0, 0.001, _MONTH)
    """How long a handler may take to answer a renewal. [RENEW-6]"""

    pause: float = _number(600.0, 0.001, _MONTH)
    """How long the asking pauses after a refusal or an *unable*; also the longest backoff. [RENEW-7]"""

    backoff: float = _number(1.0, 0.001, _MONTH)
    """The first backoff's upper bound; doubles with every failure, up to `pause`. [RENEW-7]"""

    auth_token_lifetime: float = _number(600.0, 0, _MONTH)
    """How long the platform takes an auth token; a retry re-sends one no older. [RENEW-7]"""

    wait_limit: float = _number(30.0, 0.001, _MONTH)
    """How long a caller waits for a header, and a secure logout for a renewal in flight. [EXPIRE-5]"""

    request_timeout: float = _number(30.0, 0.001, _MONTH)
    """How long one request to the platform may take, all in all."""

    recheck: float = _number(30.0, 0.001, 30.0)
    """The longest a driver sleeps before it looks at the clock again: machines sleep. [EXPIRE-4]"""

    limits: Limits = attrs.field(factory=Limits)

    def __attrs_post_init__(self) -> None:
        _check_numbers(self)
        for name, kind in (("development", bool), ("limits", Limits)):
            if not isinstance(getattr(self, name), kind):
                raise ConfigurationError(f"{name} must be of type {kind.__name__}")

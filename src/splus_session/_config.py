"""The figures of a session, in one frozen object that any number of sessions share."""

from typing import Any

import attrs

from splus_session._errors import ConfigurationError


def _bounded(low: float, high: float) -> Any:
    """A validator for a finite number from `low` to `high`."""

    def check(_: object, attribute: "attrs.Attribute[float]", number: object) -> None:
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not low <= number <= high  # also false for NaN
        ):
            raise ConfigurationError(
                f"{attribute.name} must be a number from {low:g} to {high:g}, got {number!r}"
            )

    return check


_MONTH = 31 * 24 * 3600.0


@attrs.frozen(kw_only=True)
class Limits:
    """The platform's limits on what a login sends, in characters. Override what it changes. [LOGIN-10]"""

    user_id: int = attrs.field(default=50, validator=_bounded(1, 10_000))
    display_name: int = attrs.field(default=100, validator=_bounded(1, 10_000))
    auth_token: int = attrs.field(default=100, validator=_bounded(1, 10_000))
    device_id: int = attrs.field(default=150, validator=_bounded(1, 10_000))


@attrs.frozen(kw_only=True)
class Config:
    """Windows, pauses, deadlines and limits. All times are seconds.

    Raises:
        ConfigurationError: a figure that is no number or out of its range.
    """

    development: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    """Whether a user id alone may log in. Production, the default, demands an auth token. [CLIENT-1]"""

    renewal_share: float = attrs.field(default=0.8, validator=_bounded(0.1, 1.0))
    """Renewal is asked after this share of (lifetime - margin). [RENEW-1]"""

    margin: float = attrs.field(default=300.0, validator=_bounded(0, _MONTH))
    """The margin before expiry; a tenth of the lifetime if that is shorter. [RENEW-1]"""

    jitter: float = attrs.field(default=0.05, validator=_bounded(0.0, 0.5))
    """Renewal is asked up to this share of its time earlier, never later, so that a fleet of
    sessions does not renew in the same second. [RENEW-1]"""

    leeway: float = attrs.field(default=35.0, validator=_bounded(0, _MONTH))
    """A token counts as expired this much before its time, for requests on their way; a tenth of
    the lifetime if that is shorter. [EXPIRE-2]"""

    answer_timeout: float = attrs.field(default=60.0, validator=_bounded(0.001, _MONTH))
    """How long a handler may take to answer a renewal. [RENEW-6]"""

    pause: float = attrs.field(default=600.0, validator=_bounded(0.001, _MONTH))
    """How long the asking pauses after a refusal or an *unable*; also the longest backoff. [RENEW-7]"""

    backoff: float = attrs.field(default=1.0, validator=_bounded(0.001, _MONTH))
    """The first backoff's upper bound; doubles with every failure, up to `pause`. [RENEW-7]"""

    auth_token_lifetime: float = attrs.field(default=600.0, validator=_bounded(0, _MONTH))
    """How long the platform takes an auth token; a retry re-sends one no older. [RENEW-7]"""

    wait_limit: float = attrs.field(default=30.0, validator=_bounded(0.001, _MONTH))
    """How long a caller waits for a header, and a secure logout for a renewal in flight. [EXPIRE-5]"""

    request_timeout: float = attrs.field(default=30.0, validator=_bounded(0.001, _MONTH))
    """How long one request to the platform may take, all in all."""

    recheck: float = attrs.field(default=30.0, validator=_bounded(0.001, 30.0))
    """The longest a driver sleeps before it looks at the clock again: machines sleep. [EXPIRE-4]"""

    limits: Limits = attrs.field(factory=Limits, validator=attrs.validators.instance_of(Limits))

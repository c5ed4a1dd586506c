"""The five states of a session and the reasons for moving between them, spelled as the vendor does."""

import enum


class SessionState(enum.Enum):
    """Where a session is. Exactly one at any time; the values are the vendor's own names."""

    NOT_LOGGED_IN = "notLoggedIn"
    """Ready for login: after start, logout, or a failed login."""

    ESTABLISHING = "establishing"
    """A login is on its way."""

    ESTABLISHED = "established"
    """Fully authenticated."""

    TOKEN_EXPIRED = "tokenExpired"
    """The access token is dead; renewal is attempted, the identity is kept."""

    TERMINATED = "terminated"
    """The platform banned or deleted the user. Only logout leads out."""

    # Members are singletons and compare by identity, so they may hash by it too. Enum's own
    # hash is a Python function and would be the dearest part of a table look-up.
    __hash__ = object.__hash__


class TerminationReason(enum.Enum):
    """Why the platform ended a session."""

    GLOBAL_BAN = "globalBan"
    USER_DELETED = "userDeleted"

    __hash__ = object.__hash__


class ChangeReason(enum.Enum):
    """Why a session changed its state, when the platform did not end it."""

    STARTED = "started"
    """No change yet: what an observer of a new session hears first."""

    LOGIN = "login"
    LOGGED_IN = "loggedIn"
    LOGIN_FAILED = "loginFailed"
    LOGIN_CANCELLED = "loginCancelled"
    RESUMED = "resumed"
    TOKEN_EXPIRED = "tokenExpired"
    TOKEN_REJECTED = "tokenRejected"
    TOKEN_RENEWED = "tokenRenewed"
    LOGOUT = "logout"
    SECURE_LOGOUT = "secureLogout"

    __hash__ = object.__hash__


Reason = ChangeReason | TerminationReason
"""Why a session is in its state."""

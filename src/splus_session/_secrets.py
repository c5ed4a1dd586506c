"""Secrets that do not leak by accident: they never print, never pickle, and compare in constant time.

[SECRET-1] Copying gives the object itself, so that no deep copy of a session multiplies a secret.
"""

from typing import NoReturn, Self, SupportsIndex

from splus_session._errors import InvalidArgumentError


class Secret:
    """A string that nothing shows. `reveal` is the only way to it.

    Raises:
        InvalidArgumentError: not a string, empty, or longer than `max_length` characters.
    """

    __slots__ = ("_value",)

    max_length = 16_384
    """Longest accepted value, in characters; bounds what a hostile answer can make us keep."""

    def __init__(self, value: str) -> None:
        length = _length(value)
        if not length or length > self.max_length:
            # The argument leaves this frame before an error shows it in a traceback.
            del value
            raise InvalidArgumentError(
                f"{type(self).__name__} takes a string of 1 to {self.max_length} characters, "
                f"got {'no string' if length is None else f'{length} characters'}"
            )
        self._value = value

    def reveal(self) -> str:
        """Give the secret itself. Keep it out of local variables that a traceback may show."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}('***')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)) or type(self) is not type(other):
            return NotImplemented
        import hmac  # here, for it brings OpenSSL along, which few who import this library need

        # Total: the error about half a surrogate pair would have the secret in it.
        return hmac.compare_digest(
            self._value.encode(errors="surrogatepass"), other._value.encode(errors="surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} refuses pickling: it is a secret")


class AuthToken(Secret):
    """The customer's backend's word for a user, shown to the platform at login and renewal."""


class AccessToken(Secret):
    """What opens the platform's API: a JWT."""


class AuthSignature(Secret):
    """The customer's backend's signature of a visitor's device id."""


class ApiKey(Secret):
    """What names the customer's application to the platform; goes to the platform's origin only."""


class ServerKey(Secret):
    """What the customer's backend identifies itself with to the platform."""


class VisitorSecret(Secret):
    """What the customer's backend signs visitors' device ids with."""


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, str) else None


class Sealed:
    """Anything a caller handed in where a secret belongs, before it has been looked at.

    A public method seals its argument and deletes the name, so that whatever is wrong with it, no
    frame of ours shows it in a traceback. [SECRET-1]
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Sealed('***')"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("Sealed refuses pickling: it holds a secret")

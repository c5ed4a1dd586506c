"""The names that stores go by: the key of a session, and the id of the device."""

from collections.abc import Callable

from splus_session._errors import InvalidArgumentError

__all__ = ["make_device_id", "session_key"]


def session_key(origin: str, api_key: str, slot: str = "default") -> str:
    """The key of the session that `slot` names, of this application at this platform. [RESUME-1]

    Args:
        origin: the platform's origin, such as `https://apix.sg.amity.co`.
        api_key: the application's API key. Only its SHA-256 becomes part of the key.
        slot: tells apart the sessions that one application has at the same time.

    Returns:
        `origin#hash#slot`: different for different arguments, since neither an origin nor a hash
        has a `#` in it.

    Raises:
        InvalidArgumentError: an argument that is empty or cannot be written as UTF-8, or an
            origin with a `#`.
    """
    for name, part in (("origin", origin), ("API key", api_key), ("slot", slot)):
        if not part or not _is_unicode(part):
            # The arguments leave this frame before an error shows the API key in a traceback.
            del api_key, part
            raise InvalidArgumentError(f"a session's {name} is text that is not empty")
    if "#" in origin:
        del api_key, part
        raise InvalidArgumentError("an origin has no '#' in it")
    import hashlib  # here, for it brings OpenSSL along, which few who import this library need

    return f"{origin}#{hashlib.sha256(api_key.encode()).hexdigest()}#{slot}"


def make_device_id(make: Callable[[], str]) -> str:
    """Call `make`, and look at what it gives. [LOGIN-10]

    Raises:
        InvalidArgumentError: it is no text, or empty.
    """
    made = make()
    if not _is_text(made):
        raise InvalidArgumentError("a device id is text that is not empty")
    return made


def _is_text(something: object) -> bool:
    return isinstance(something, str) and bool(something)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
        return False
    return True

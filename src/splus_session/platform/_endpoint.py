"""Where the platform is, and the key that names the application there. [CLIENT-1] [SECRET-2]"""

import ipaddress
import re
from types import MappingProxyType
from typing import Final

from splus_session._errors import ConfigurationError, InvalidArgumentError
from splus_session._secrets import ApiKey

REGIONS: Final = MappingProxyType(
    {
        "sg": "https://apix.sg.amity.co",
        "eu": "https://apix.eu.amity.co",
        "us": "https://apix.us.amity.co",
    }
)
"""The platform's regions and their origins. [CLIENT-1]"""

# The whole of an acceptable URL. What it leaves out could carry a secret (credentials, a query)
# or widen what the access token is shown to (a path: other services may live beside it).
_LABEL: Final = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
HEADER_SAFE: Final = re.compile(r"[\x21-\x7e]+")
"""What an HTTP header can carry whole: visible ASCII."""


class Endpoint:
    """The one place that API keys, tokens and signatures are sent to. [CLIENT-1] [SECRET-2]

    `Endpoint()` is the platform in Singapore, `Endpoint.region("eu")` another of its regions, and
    `Endpoint("https://social.example.com")` one of your own.

    Raises:
        ConfigurationError: not `https://host[:port]`, nor `http://` on a loopback address: plain
            http to elsewhere, credentials, a path, a query, a fragment. The message does not
            repeat the URL.
    """

    __slots__ = ("_is_loopback", "_origin")

    def __init__(self, url: str = REGIONS["sg"]) -> None:
        self._origin = ""  # so that a traceback that shows this object can
        parts = _parts(url)
        # It may hold credentials: it leaves this frame before an error shows it in a traceback.
        del url
        if parts is None:
            raise ConfigurationError(
                "an endpoint is https://host[:port], without credentials, path, query or fragment"
            )
        scheme, host, port = parts
        self._is_loopback = _is_loopback(host)
        if scheme == "http" and not self._is_loopback:
            raise ConfigurationError(f"http would show secrets on the way to {host}: use https")
        tail = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
        self._origin = f"{scheme}://{host}{tail}"

    @classmethod
    def region(cls, name: str = "sg") -> "Endpoint":
        """The platform in one of its `REGIONS`.

        Raises:
            ConfigurationError: no such region.
        """
        if name not in REGIONS:
            raise ConfigurationError(f"there is no region {name!r}; there are {', '.join(REGIONS)}")
        return cls(REGIONS[name])

    @classmethod
    def chosen(cls, region: object, endpoint: object) -> "Endpoint":
        """Where a client goes that is made from a region or an endpoint; neither: Singapore. [CLIENT-1]

        Raises:
            ConfigurationError: both, no such region, or no endpoint.
        """
        if region is not None:
            if endpoint is not None:
                raise ConfigurationError("give a region or an endpoint, not both")
            if not isinstance(region, str):
                raise ConfigurationError(f"a region is a name, not a {type(region).__name__}")
            return cls.region(region)
        if endpoint is None:
            return cls()
        if isinstance(endpoint, cls):
            return endpoint
        if not isinstance(endpoint, str):
            raise ConfigurationError("an endpoint is a URL or an Endpoint")
        return cls(endpoint)

    @property
    def origin(self) -> str:
        """Scheme, host and, unless it is the scheme's own, port: `https://apix.sg.amity.co`."""
        return self._origin

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return self._is_loopback

    def __repr__(self) -> str:
        return f"Endpoint({self._origin!r})"

    def __eq__(self, other: object) -> bool:
        return self._origin == other._origin if isinstance(other, Endpoint) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._origin)


def wrap_api_key(key: ApiKey | str) -> ApiKey:
    """The API key, wrapped so that nothing shows it.

    Raises:
        ConfigurationError: empty, or not what an HTTP header can carry. [CLIENT-1]
    """
    try:
        secret = key if isinstance(key, ApiKey) else ApiKey(key)
    except InvalidArgumentError:
        secret = None
    # The raw key leaves this frame before an error shows it in a traceback.
    del key
    if secret is None or not HEADER_SAFE.fullmatch(secret.reveal()):
        raise ConfigurationError("an API key is a string of visible ASCII characters, not empty")
    return secret


def _parts(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None if this is no acceptable URL."""
    match = _URL.fullmatch(url)
    host = _host(match["host"]) if match else None
    if match is None or host is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    return (scheme, host, port) if 0 < port < 65_536 else None


def _host(text: str) -> str | None:
    """The host in its one spelling, or None if it is no host."""
    if not text.startswith("["):
        return text.lower()
    try:
        return f"[{ipaddress.IPv6Address(text[1:-1])}]"
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

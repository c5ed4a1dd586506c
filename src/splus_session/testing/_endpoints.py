"""What can be asked of the fake platform."""

import enum
import re

from splus_session.testing._messages import Request


class Endpoint(enum.Enum):
    """One thing that can be asked; its value is how it is asked over HTTP."""

    LOGIN = "POST /api/v5/sessions"
    """Also a renewal."""
    VISITOR_LOGIN = "POST /api/v5/sessions/visitor"
    BOT_LOGIN = "POST /api/v5/sessions/bot"
    VERIFY = "GET /api/v3/sessions"
    REVOKE = "DELETE /api/v4/sessions"
    AUTH_TOKEN = "POST /api/v4/authentication/token"
    AUTH_TOKEN_V3 = "GET /api/v3/authentication/token"
    """Deprecated."""
    GET_USER = "GET /api/v3/users/{userId}"
    GET_SETTINGS = "GET /api/v3/network-settings/chat"
    GET_CHANNELS = "GET /api/v3/channels"
    BAN = "POST /api/v2/users/ban"
    UNBAN = "POST /api/v2/users/unban"


def endpoint_of(request: Request) -> Endpoint | None:
    """Which endpoint a request is for, if any."""
    asked = f"{request.method} {request.path}"
    return next((endpoint for endpoint, form in _PATTERNS.items() if form.fullmatch(asked)), None)


_PATTERNS = {endpoint: re.compile(endpoint.value.replace("{userId}", "[^/]+")) for endpoint in Endpoint}

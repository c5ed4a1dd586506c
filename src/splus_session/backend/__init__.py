"""The customer's backend side: what vouches for users and visitors. [BACKEND-1] [BACKEND-2] [BACKEND-3]

This belongs on a server of yours and never in an app: it holds the server key and the visitor secret.
It needs the extra `backend`.

    issuer = AuthTokenIssuer(os.environ["SOCIAL_PLUS_SERVER_KEY"], region="sg")
    app = auth_token_app(issuer, authenticate)       # authenticate(request) -> your user's id, or None
"""

from importlib.util import find_spec

from splus_session._errors import MissingExtraError

if not all(map(find_spec, ("anyio", "httpx2", "starlette"))):
    raise MissingExtraError("backend")

from splus_session.backend._app import (
    Authenticate,
    VisitorPolicy,
    auth_token_app,
    auth_token_route,
    visitor_signature_route,
)
from splus_session.backend._issuer import AuthTokenIssuer
from splus_session.backend._visitors import VisitorSignature, sign_visitor

__all__ = [
    "AuthTokenIssuer",
    "auth_token_app",
    "auth_token_route",
    "Authenticate",
    "VisitorSignature",
    "sign_visitor",
    "visitor_signature_route",
    "VisitorPolicy",
]

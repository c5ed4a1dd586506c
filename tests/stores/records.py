"""Records to store, and where to look for what should be gone."""

from pathlib import Path

from splus_session._credentials import Credential, Record, SessionKind
from splus_session._secrets import AccessToken

KEY = "https://apix.sg.amity.co#0f#default"


def record(token: str = "header.claims.signature", user_id: str = "user-123") -> Record:
    """A session like any other."""
    credential = Credential(AccessToken(token), user_id, 1_700_000_000.5, 1_702_592_000.25)
    return Record(SessionKind.AUTH_TOKEN, credential, expired=False, offset=-0.1)


def everything_in(folder: Path) -> bytes:
    """The bytes of all files there, names included."""
    return b"".join(bytes(file) + file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())

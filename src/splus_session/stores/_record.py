"""How a record is written: JSON with a version, and a reader that believes nothing.

    {"format": "splus-session", "version": 1, "kind": "authToken", "accessToken": "…", "userId": "…",
     "issuedAt": 1700000000.0, "expiresAt": 1702592000.0, "expired": false, "offset": 0.25}

Times are UTC seconds, offsets seconds; `expiresAt` may be null. Python writes the shortest decimal
that reads back as the same float, so that numbers survive exactly. A new field means a new version:
the reader knows every field of its version, and refuses what it does not know.
"""

import json
from collections.abc import Sequence
from typing import cast

from splus_session._credentials import MAX_TIME, Credential, Record, SessionKind
from splus_session._errors import InvalidArgumentError, StoredRecordError, StoreError
from splus_session._secrets import AccessToken, Secret

__all__ = ["BEGINNING", "Payload", "decode", "encode"]

_FORMAT = "splus-session"
BEGINNING = f'{{"format": "{_FORMAT}", "version": '
"""What every record begins with, whatever its version."""

_VERSION = 1
_FIELDS = {
    "format",
    "version",
    "kind",
    "accessToken",
    "userId",
    "issuedAt",
    "expiresAt",
    "expired",
    "offset",
}


class Payload(Secret):
    """A record as it is written: a secret, since the access token is in it. ASCII only."""

    max_length = 1_000_000


def encode(record: Record) -> Payload:
    """Write a record.

    Raises:
        StoreError: it could not be read again: its offset is no finite number, say.
    """
    payload = _written(record)
    if payload is None or isinstance(_read(payload), str):
        raise StoreError("this session cannot be written down: a part of it is not what it should be")
    return payload


def decode(payload: Payload) -> Record:
    """Read a record.

    Raises:
        StoredRecordError: damaged, not written by this library, or of a future version. [RESUME-1]
    """
    record = _read(payload)
    if isinstance(record, str):
        raise StoredRecordError(f"the stored session {record}")
    return record


def _written(record: Record) -> Payload | None:
    credential = record.credential
    try:
        return Payload(
            json.dumps(
                {
                    "format": _FORMAT,
                    "version": _VERSION,
                    "kind": record.kind.value,
                    "accessToken": credential.access_token.reveal(),
                    "userId": credential.user_id,
                    "issuedAt": credential.issued_at,
                    "expiresAt": credential.expires_at,
                    "expired": record.expired,
                    "offset": record.offset,
                },
                allow_nan=False,
            )
        )
    except (TypeError, ValueError):  # also Payload's own, of what is too long
        return None


def _read(payload: Payload) -> Record | str:
    """The record, or what is wrong with it. Raises nothing: in these frames are raw secrets."""
    fields = _fields(payload)
    if fields is None:
        return "is damaged: it is no JSON object"
    version = fields.get("version")
    if fields.get("format") != _FORMAT or type(version) is not int or version < 1:
        return "was not written by this library"
    if version > _VERSION:
        return "was written by a later version of this library"
    if fields.keys() != _FIELDS:
        return "is damaged: fields are missing or unknown"
    expired, offset = fields["expired"], fields["offset"]
    if not isinstance(expired, bool):
        return "is damaged: expired is neither true nor false"
    # False for NaN and infinities too, and safe for integers of any size.
    if isinstance(offset, bool) or not isinstance(offset, int | float) or not -MAX_TIME <= offset <= MAX_TIME:
        return "is damaged: its offset is no time"
    try:
        kind = SessionKind(fields["kind"])
        credential = _credential(fields)
    except (ValueError, InvalidArgumentError):  # not quoted: a field may hold another's secret
        return "is damaged: its kind or its credential makes no sense"
    return Record(kind, credential, expired, offset)


def _credential(fields: dict[str, object]) -> Credential:
    token, user_id = fields["accessToken"], fields["userId"]
    issued_at, expires_at = fields["issuedAt"], fields["expiresAt"]
    # The constructors check what the type checker cannot know: the fields are anything.
    return Credential(AccessToken(token), user_id, issued_at, expires_at)  # type: ignore[arg-type]


def _fields(payload: Payload) -> dict[str, object] | None:
    try:
        fields: object = json.loads(payload.reveal(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", fields) if isinstance(fields, dict) else None


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields

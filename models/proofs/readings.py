"""What a snapshot, drawn or real, says about the variables of a memory."""

from typing import Any

import attrs

from models.proofs.memory import FIGURES, KINDS, STATES, credential_fields
from models.proofs.sketches import Grant, Kind
from models.proofs.symbols import Name, Number, symbol
from splus_session import (
    AccessTokenGrant,
    Snapshot,
)


def terms_of(field: str, value: Any, names: dict[object, int]) -> dict[str, Any]:
    """What a field of a snapshot, drawn or real, says about the variables; `names` numbers real names."""
    match field, value:
        case "state", _:
            return {"state": STATES.index(value)}
        case "kind", _:
            return {"kind": value.term if isinstance(value, Kind) else KINDS.index(value)}
        case "user_id", _:
            return {"user": 0 if value is None else _named(value, names)}
        case "renew_at", _:
            return {"planned": value is not None} | ({} if value is None else {"renew_at": _plain(value)})
        case "ended", _:
            return {"ended": value is not None}
        case "verification", _:
            return {"verification": value is not None} | (
                {} if value is None else {"verification_attempt": _plain(value)}
            )
        case (("credential" | "renewal" | "retry" | "revocation"), None):
            return {field: False}
        case "credential", _:
            identity = {
                "token": _named(value.access_token, names),
                "owner": _named(value.user_id, names),
            }
            return {"credential": True, **identity, **_times_of(value, "")}
        case "renewal", _:
            asking = value.deadline is not None
            return {
                "renewal": True,
                "renewal_attempt": _plain(value.attempt),
                "renewal_failures": _plain(value.failures),
                "asking": asking,
                **({"answer_by": _plain(value.deadline)} if asking else {}),
                **_presented(value.grant, "renewal_"),
                "renewal_obtained_at": _plain(value.obtained_at),
            }
        case "retry", _:
            return {
                "retry": True,
                "retry_at": _plain(value.at),
                "retry_failures": _plain(value.failures),
                "failed": value.failure is not None,
                **_presented(value.grant, "retry_"),
                "retry_obtained_at": _plain(value.obtained_at),
            }
        case "revocation", _:
            checked = value.check is not None
            return {
                "revocation": True,
                "revocation_attempt": _plain(value.attempt),
                "revocation_by": _plain(value.deadline),
                "revocation_sent": value.sent,
                "check": checked,
                **({"check_attempt": _plain(value.check)} if checked else {}),
            }
        case "config", _:
            return {name: getattr(value, name) for name in (*FIGURES, "development")}
        case "seed", _:
            return {}
        case _:
            return {field: _plain(value)}


def _presented(grant: Any, prefix: str) -> dict[str, Any]:
    if type(grant) is Grant:
        return {f"{prefix}grant": True, f"{prefix}access": grant.access, **_as_drawn(grant.drawn_as, prefix)}
    if isinstance(grant, AccessTokenGrant):
        return {f"{prefix}grant": True, f"{prefix}access": True, **_times_of(grant.credential, prefix)}
    return {f"{prefix}grant": False} if grant is None else {f"{prefix}grant": True, f"{prefix}access": False}


def _as_drawn(source: str, prefix: str) -> dict[str, Any]:
    """The variables of one credential in terms of those of another."""
    return {
        f"{prefix}{name}": symbol(f"{source}{name}", sort) for name, sort in credential_fields("").items()
    }


def _times_of(credential: Any, prefix: str) -> dict[str, Any]:
    expires_at = credential.expires_at
    known = {f"{prefix}issued_at": _plain(credential.issued_at), f"{prefix}expires": expires_at is not None}
    return known if expires_at is None else known | {f"{prefix}expires_at": _plain(expires_at)}


def _plain(value: Any) -> Any:
    return value.term if isinstance(value, Number | Name) else value


def _named(value: Any, names: dict[object, int]) -> Any:
    return value.term if isinstance(value, Name) else names.setdefault(value, len(names) + 1)


def values_of(snapshot: Snapshot, names: dict[object, int]) -> dict[str, Any]:
    """What the variables are for a real snapshot. Of what is missing there is none."""
    found: dict[str, Any] = {}
    for field in attrs.fields(Snapshot):
        found |= terms_of(field.name, getattr(snapshot, field.name), names)
    return found

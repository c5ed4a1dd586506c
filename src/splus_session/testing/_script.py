"""The script of what is to go wrong, and the record of what arrived."""

from collections.abc import Mapping
from typing import cast

import attrs

from splus_session._secrets import AccessToken, AuthSignature, AuthToken, Secret
from splus_session.testing._endpoints import Endpoint, endpoint_of
from splus_session.testing._gate import bearer
from splus_session.testing._messages import Request, Response
from splus_session.testing._waiting import Pause
from splus_session.testing.faults import Fault

_SECRET_FIELDS: dict[str, type[Secret]] = {"authToken": AuthToken, "authSignature": AuthSignature}


@attrs.define
class Received:
    """One request that arrived, and what became of it. Its secrets don't print."""

    at: float
    """The platform's time, UTC seconds."""
    method: str
    path: str
    endpoint: Endpoint | None
    user_id: str | None
    """Whom it is about: the `userId` of its body, or whose access token it carries."""
    device_id: str | None
    access_token: AccessToken | None
    fields: Mapping[str, object]
    """Its JSON body; auth tokens and signatures wrapped as secrets."""
    faults: tuple[str, ...]
    """The names of the faults that struck it."""
    carried_out: bool = False
    status: int | None = None
    """What was answered; None if nothing was, or not yet."""
    response: Response | None = attrs.field(default=None, repr=False)
    """The same, whole. Its body holds secrets."""
    over: bool = False
    """Whether nothing more happens to it: it was answered, or lost, or given up."""
    _hung_up: Pause | None = attrs.field(default=None, alias="hung_up", repr=False, eq=False)

    @property
    def given_up(self) -> bool:
        """Whether the client hung up before it was answered. Seen over HTTP only."""
        return self.response is None and self._hung_up is not None and self._hung_up.left() <= 0


@attrs.define
class _Plan:
    endpoint: Endpoint | None
    faults: tuple[Fault, ...]
    skip: int
    times: float


@attrs.define
class Script:
    """Which faults strike next. Not thread-safe: `FakePlatform` holds a lock around it."""

    _plans: list[_Plan] = attrs.field(factory=list, init=False)

    def add(self, endpoint: Endpoint | None, faults: tuple[Fault, ...], skip: int, times: float) -> None:
        """Plan faults for `times` exchanges with an endpoint (None: any), after letting `skip` pass."""
        self._plans.append(_Plan(endpoint, faults, skip, times))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._plans.clear()

    def next(self, endpoint: Endpoint | None) -> tuple[Fault, ...]:
        """The faults that strike this exchange: those of the first plan that does not let it pass."""
        for plan in self._plans:
            if plan.endpoint not in (None, endpoint):
                continue
            if plan.skip:
                plan.skip -= 1
                continue
            plan.times -= 1
            if plan.times <= 0:
                self._plans.remove(plan)
            return plan.faults
        return ()


def received(
    request: Request, at: float, faults: tuple[Fault, ...], owner: str | None, hung_up: Pause | None = None
) -> Received:
    """The record of a request; `owner` is whose access token it carries."""
    content = request.json()
    raw = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    fields = {name: _wrapped(name, value) for name, value in raw.items()}
    user_id, device_id = fields.get("userId"), fields.get("deviceId")
    return Received(
        at,
        request.method,
        request.path,
        endpoint_of(request),
        user_id if isinstance(user_id, str) else owner,
        device_id if isinstance(device_id, str) else None,
        bearer(request),
        fields,
        tuple(fault.name for fault in faults),
        hung_up=hung_up,
    )


def _wrapped(name: str, value: object) -> object:
    secret = _SECRET_FIELDS.get(name)
    if secret is None:
        return value
    fits = isinstance(value, str) and 0 < len(value) <= secret.max_length
    return secret(value) if fits and isinstance(value, str) else "***"

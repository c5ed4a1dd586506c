import pytest

from splus_session import AccessToken, AuthToken, Credential, FailureKind
from splus_session._answers import Answer, facts
from splus_session._commands import OpenSession, Renew
from splus_session._credentials import AccessTokenGrant, AuthTokenGrant, Grant
from splus_session._events import TokenOrphaned
from splus_session._failures import Failure

CREDENTIAL = Credential(AccessToken("a-token"), "ann", 0.0, 1e9)
MINTING = AuthTokenGrant("ann", AuthToken("word"))


@pytest.mark.requirement("LOGIN-6")
@pytest.mark.parametrize("command", [OpenSession, Renew])
@pytest.mark.parametrize("kind", [FailureKind.BANNED, FailureKind.DELETED, FailureKind.MALFORMED])
@pytest.mark.parametrize("grant", [MINTING, AccessTokenGrant(CREDENTIAL)], ids=["minted", "the app's own"])
def test_a_token_that_comes_with_a_failure_is_an_orphan_unless_it_was_there_before(
    grant: Grant, kind: FailureKind, command: type[OpenSession | Renew]
) -> None:
    told = facts(command(1, grant), Answer(CREDENTIAL, Failure(kind)))
    assert told[1:] == ((TokenOrphaned(CREDENTIAL),) if grant is MINTING else ())

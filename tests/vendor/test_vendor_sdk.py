"""The vendor's own SDK judges the fake platform: what works for it there works for it here.

What it makes of bans, rejections and flags is known from its source (its version is fixed). That
it makes the same of our answers shows that they are in the platform's form.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from splus_session.testing import Endpoint, FakePlatform, TokenTerms, faults

JUDGE = Path(__file__).parent / "judge.mjs"
UNAUTHORIZED = "Unauthorized: the auth token does not vouch for this user"


def play(sdk: Path, platform: FakePlatform, scenario: str) -> list[dict[str, Any]]:
    """What the SDK saw in one scenario, in order."""
    with platform.serve() as server:
        told = {
            "scenario": scenario,
            "url": server.url,
            "apiKey": platform.api_key.reveal(),
            "serverKey": platform.server_key.reveal(),
            "adminToken": platform.admin_token.reveal(),
            "userId": "ann",
        }
        run = subprocess.run(
            ["node", JUDGE, sdk], input=json.dumps(told), capture_output=True, text=True, timeout=60
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def state(state: str) -> dict[str, Any]:
    return {"saw": "state", "state": state}


def value(what: str, value: object) -> dict[str, Any]:
    return {"saw": what, "value": value}


def error(what: str, code: int, message: str) -> dict[str, Any]:
    return {"saw": what, "error": "Error", "code": code, "message": f"Amity SDK ({code}): {message}"}


LOGGED_IN = [state("establishing"), state("established"), value("login", True)]


def test_it_logs_in_renews_when_its_token_is_about_to_expire_and_logs_out_securely(sdk: Path) -> None:
    platform = FakePlatform()
    platform.fail(Endpoint.LOGIN, faults.terms(TokenTerms(lifetime=3600, age=3000)))
    assert play(sdk, platform, "life") == [
        *LOGGED_IN,
        value("user", "ann"),
        {"saw": "renewal asked"},
        state("establishing"),
        state("established"),
        value("settings", "no-message-preview"),
        state("notLoggedIn"),
        value("secure logout", True),
        {"saw": "end", "state": "notLoggedIn"},
    ]
    first, second = platform.tokens_of("ann")
    assert (first.voided, second.voided) == (True, True)
    assert platform.user("ann").display_name == "Ann"
    assert [(request.endpoint, request.status) for request in platform.requests] == [
        (Endpoint.AUTH_TOKEN, 200),
        (Endpoint.LOGIN, 200),
        (Endpoint.GET_SETTINGS, 200),
        (Endpoint.GET_USER, 200),
        (Endpoint.AUTH_TOKEN, 200),
        (Endpoint.LOGIN, 200),
        (Endpoint.GET_SETTINGS, 200),
        (Endpoint.REVOKE, 200),
    ]
    login, renewal = platform.requests_to(Endpoint.LOGIN)
    assert login.device_id == renewal.device_id
    used = [request.access_token for request in platform.requests if request.access_token]
    assert used == [first.token] * 3 + [second.token] * 2, "its renewal carries the old token, too"


def test_after_a_ban_its_calls_are_told_so(sdk: Path) -> None:
    assert play(sdk, FakePlatform(), "banned") == [
        *LOGGED_IN,
        error("settings", 400312, "User is globally banned"),
        error("user", 400312, "User is globally banned"),
        {"saw": "end", "state": "established"},  # it hears of bans over MQTT alone
    ]


def test_any_400100_terminates_it(sdk: Path) -> None:
    platform = FakePlatform()
    platform.fail(Endpoint.GET_SETTINGS, faults.unauthorized(), skip=1)
    assert play(sdk, platform, "rejected") == [
        *LOGGED_IN,
        error("settings", 400100, "User is not join this community"),
        state("terminated"),
        {"saw": "end", "state": "terminated"},
    ]


def test_it_is_refused_without_a_good_auth_token_and_gets_in_with_one(sdk: Path) -> None:
    assert play(sdk, FakePlatform(), "refused") == [
        state("establishing"),
        state("notLoggedIn"),
        error("login", 400100, UNAUTHORIZED),
        error("login", 400100, UNAUTHORIZED),
        state("established"),
        value("login", True),
        {"saw": "end", "state": "established"},
    ]


def test_it_stays_logged_in_when_the_revocation_is_refused_or_fails(sdk: Path) -> None:
    platform = FakePlatform()
    platform.fail(Endpoint.REVOKE, faults.unsuccessful())
    platform.fail(Endpoint.REVOKE, faults.server_error(503))
    assert play(sdk, platform, "secureLogoutRefused") == [
        *LOGGED_IN,
        {"saw": "secure logout", "error": "Error", "message": "Failed to logout"},
        {"saw": "secure logout", "error": "Error", "message": "<html><h1>Server Error</h1></html>"},
        value("user", "ann"),
        {"saw": "end", "state": "established"},
    ]


def test_a_deleted_user_who_is_let_in_with_a_flag_is_out_at_once(sdk: Path) -> None:
    platform = FakePlatform()
    platform.rules.admits_banned = True
    platform.delete("ann")
    assert play(sdk, platform, "flagged") == [
        state("establishing"),
        state("established"),
        state("terminated"),
        value("login", False),
        {"saw": "end", "state": "terminated"},
    ]

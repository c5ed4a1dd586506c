"""Whoever drives a session, a recorder that it carries is told of every step."""

import pytest

from splus_session import ChangeReason, InvalidArgumentError, Recorder, SessionState
from splus_session.diagram import SequenceDiagram
from splus_session.testing import Endpoint, FakePlatform, faults
from tests.drivers.conftest import OpenStage
from tests.drivers.stage import DUE, Vouching


def test_a_life_is_recorded_from_its_login_to_its_logout(stage: OpenStage, fake: FakePlatform) -> None:
    recorder = Recorder()
    s = stage(recorder=recorder, session_handler=Vouching(fake))
    s.log_in()
    fake.fail(Endpoint.LOGIN, faults.server_error(503))
    s.clock.advance(DUE + 1)
    s.until(lambda: any(entry.failure for entry in recorder.entries))
    s.clock.advance(60)
    s.hooks.wait_count(2)
    s.call("logout")
    told = [entry.event for entry in recorder.entries if entry.event != "handlers_changed"]
    assert told == [
        "login",
        "session_opened",
        "renewal_due",
        "renewal_answered",
        "renewal_failed",
        "renewal_due",
        "token_renewed",
        "logout",
    ]
    reasons = [
        asked.reason for entry in recorder.entries for asked in entry.commands if asked.reason is not None
    ]
    assert reasons == [ChangeReason.LOGIN, ChangeReason.LOGGED_IN, ChangeReason.LOGOUT]
    assert recorder.entries[-1].after is SessionState.NOT_LOGGED_IN
    drawn = SequenceDiagram(recorder).to_text()
    assert "ann" not in drawn
    assert "renewal failed (2): the platform is ailing (status 503" in drawn


def test_another_kind_of_recorder_is_refused_when_the_session_is_made(stage: OpenStage) -> None:
    with pytest.raises(InvalidArgumentError, match="a recorder is a Recorder, and not a list"):
        stage(recorder=[])

import gc
import threading
import time
import weakref

import pytest

from splus_session import Config
from splus_session.sync import Session, _session
from splus_session.sync._threads import Series, Watcher
from splus_session.testing import FakePlatform
from tests.drivers.faces import PATIENCE, Log, on_thread


@pytest.mark.requirement("CLIENT-2", "CLIENT-3")
@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_sessions_that_are_gone_are_nothing_to_the_watcher(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher()
    monkeypatch.setattr(_session, "watcher", watcher)
    fake = FakePlatform()  # by the machine's clock, which holds nobody: a manual one calls sessions

    def opened() -> Session:
        session = Session(fake.api_key, platform=fake.client(), config=Config(recheck=0.001))
        session.__enter__()
        session.login("ann", auth_token=fake.issue_auth_token("ann"))
        return session

    gone = []
    for _ in range(300):
        session = opened()
        if how == "closed":
            session.__exit__(None, None, None)
        gone.append(weakref.ref(session._engine))
        del session
    last, looks = opened(), Log()
    tick = last._engine.tick

    def look() -> float | None:
        gc.collect()
        looks.add(len(watcher._queue))
        return tick()

    last._engine.tick = look  # type: ignore[method-assign]
    looks.wait_for(lambda: not any(engine() for engine in gone), "all to be collected")
    looks.wait_for(lambda: looks[-1:] <= [4], "all to be passed over")
    assert len(watcher._times) == 1
    last.__exit__(None, None, None)
    assert len(watcher._times) == 0


@pytest.mark.requirement("CLIENT-3")
def test_a_series_is_waited_for_until_its_time_is_up_and_never_by_itself() -> None:
    series, done, go_on = Series("test"), Log(), threading.Event()
    soon = time.monotonic() + 3 * PATIENCE
    series.finish(soon)
    series.submit(lambda: series.finish(soon))
    series.submit(lambda: go_on.wait(PATIENCE))
    series.submit(lambda: done.add("last"))
    series.finish(time.monotonic())
    assert done == []
    waiting = on_thread(lambda: series.finish(soon))
    go_on.set()
    waiting.result(PATIENCE)
    assert done == ["last"]

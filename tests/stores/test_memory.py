import gc
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

from splus_session._errors import InvalidArgumentError
from splus_session._secrets import AccessToken
from splus_session.ports import Store
from splus_session.stores import MemoryStore
from tests.stores.machine import StoreMachine
from tests.stores.records import KEY, record


class MemoryMachine(StoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()

    def open(self) -> Store:
        return self.store


TestMemoryStore = pytest.mark.requirement("RESUME-1", "LOGIN-10")(MemoryMachine.TestCase)
TestMemoryStore.settings = settings(max_examples=50, stateful_step_count=20)


def reachable(root: object) -> Iterator[object]:
    """Everything that `root` holds, directly or not, short of modules and types."""
    seen: set[int] = set()
    rest = [root]
    while rest:
        thing = rest.pop()
        if id(thing) not in seen and not isinstance(thing, type):
            seen.add(id(thing))
            yield thing
            rest += gc.get_referents(thing)


@pytest.mark.requirement("LOGOUT-5")
def test_a_deleted_token_is_held_no_more() -> None:
    store = MemoryStore()
    store.save(KEY, record("canary"))
    assert AccessToken("canary") in list(reachable(store))
    store.delete(KEY)
    assert AccessToken("canary") not in list(reachable(store))
    assert "canary" not in list(reachable(store))


@pytest.mark.requirement("SECRET-1")
def test_its_repr_shows_nothing_it_holds() -> None:
    store = MemoryStore()
    store.save(KEY, record("canary"))
    assert "canary" not in repr(store)


@pytest.mark.requirement("LOGIN-10")
def test_threads_that_ask_at_once_get_one_device_id() -> None:
    store = MemoryStore()
    barrier = threading.Barrier(8)
    given: list[str] = []

    def ask(number: int) -> None:
        def make() -> str:
            barrier.wait()  # all have found that there is none
            return f"device-{number}"

        given.append(store.device_id(make))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 8
    assert len(set(given)) == 1


@pytest.mark.requirement("LOGIN-10")
def test_an_empty_device_id_is_refused() -> None:
    store = MemoryStore()
    with pytest.raises(InvalidArgumentError):
        store.device_id(str)
    assert store.device_id(lambda: "device") == "device"

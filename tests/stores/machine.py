"""What every store does, as a state machine against a dictionary."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from splus_session._credentials import Record
from splus_session.ports import Store
from tests.stores.strategies import records

# A prefix of another, another case of another, and what SQL would trip over.
KEYS = st.sampled_from(["a", "ab", "A", "it's", "ключ", "zero\0inside", "%", ""])
HANDLES = st.integers(0, 1)


class StoreMachine(RuleBasedStateMachine):
    """Two handles on one store, told what to do in any order."""

    def open(self) -> Store:
        """Another handle on the store of this run."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Record] = {}
        self.device: str | None = None

    @initialize()
    def open_both(self) -> None:
        self.stores = [self.open(), self.open()]

    @rule(handle=HANDLES, key=KEYS, record=records())
    def save(self, handle: int, key: str, record: Record) -> None:
        self.stores[handle].save(key, record)
        self.model[key] = record

    @rule(handle=HANDLES, key=KEYS)
    def delete(self, handle: int, key: str) -> None:
        self.stores[handle].delete(key)
        self.model.pop(key, None)

    @rule(handle=HANDLES, key=KEYS)
    def load(self, handle: int, key: str) -> None:
        assert self.stores[handle].load(key) == self.model.get(key)

    @rule(handle=HANDLES, made=st.text(min_size=1))
    def ask_for_the_device(self, handle: int, made: str) -> None:
        self.device = self.device or made
        assert self.stores[handle].device_id(lambda: made) == self.device

    @rule(handle=HANDLES)
    def reopen(self, handle: int) -> None:
        self.stores[handle] = self.open()

    @invariant()
    def nothing_else_is_stored(self) -> None:
        for key, record in self.model.items():
            assert self.stores[0].load(key) == record

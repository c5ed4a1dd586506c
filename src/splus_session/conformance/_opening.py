"""Opening clients, closing them, and killing the process that they are in."""

from typing import Final

from splus_session import HandlersChanged, Resume, Snapshot
from splus_session.conformance._actions import Action
from splus_session.conformance._client import Client
from splus_session.conformance._oracle import Oracle
from splus_session.conformance._sorting import Sorting
from splus_session.conformance._stage import Stage

_WRONG: Final[dict[str, dict[str, object]]] = {
    "no_key": {"api_key": ""},
    "no_region": {"region": "mars"},
    "plain_http": {"endpoint": "http://example.com"},
}
"""What no client can be made of. [CLIENT-1]"""


class Opening:
    """See the module. Each method does the action of its name."""

    def __init__(self, stage: Stage, sorting: Sorting) -> None:
        self._stage = stage
        self._sorting = sorting

    def open(self, action: Action) -> None:
        """A client is opened, or what cannot become one."""
        if action.client == "c" and action.how in _WRONG:
            self._open_wrongly(action)
        else:
            self._open(action)

    def _open(self, action: Action) -> None:
        stage, name = self._stage, action.client
        old = stage.clients.get(name)
        with_handlers = "without_handlers" not in action.how
        development = action.how == "development"
        if action.opens_again and old is not None:
            development = old.oracle.snapshot.config.development
        token_handler = with_handlers and "access_token" in stage.features
        oracle = Oracle(
            development=development, session_handler=with_handlers, access_token_handler=token_handler
        )
        now = stage.clock.now()
        client = stage.clients[name] = Client(name, oracle, before=oracle.snapshot)
        record = stage.records.get(name)
        client.notes["opened"] = True
        client.notes["resumes"] = record is not None
        oracle.feed(HandlersChanged(with_handlers, token_handler), now)
        call = stage.call(
            client,
            "open",
            "open",
            development=development,
            session_handler=with_handlers,
            access_token_handler=token_handler,
            hooks="hooks" in stage.features,
        )
        call.kinds = frozenset()
        client.observers[0] = "report"
        if record is not None and "resume" in stage.features:
            oracle.record = record
            step = oracle.feed(Resume(record), now)
            if step.row is None:
                call.kinds = frozenset({"handler_required"})
                client.is_open = False
        client.joined[0] = oracle.snapshot.state

    def _open_wrongly(self, action: Action) -> None:
        oracle = Oracle(development=False, session_handler=False, access_token_handler=False)
        client = self._stage.clients["c"] = Client("c", oracle, is_open=False, before=oracle.snapshot)
        client.notes["wrongly"] = action.how
        flags = dict.fromkeys(("development", "session_handler", "access_token_handler", "hooks"), False)
        label = f"open with {action.how.replace('_', ' ')}"
        call = self._stage.call(client, "open", label, **flags, **_WRONG[action.how])
        call.kinds = frozenset({"invalid_argument"})

    def close(self, action: Action) -> None:
        """A client is closed; the session goes on without it."""
        client = self._stage.clients[action.client]
        oracle = client.oracle
        call = self._stage.call(client, "close", "close")
        call.kinds = frozenset()
        for waiting in oracle.calls:
            # An API request that the platform keeps waiting is the app's own: it may go on, or not.
            if self._sorting.is_on_its_way(client, waiting):
                waiting.may_fail = True
            elif not waiting.is_due:
                waiting.kinds = frozenset({"closed", "interrupted", "cancelled"})
        client.is_open = False
        client.notes["closed"] = True
        self._sorting.forget(client)
        self._stage.records[client.name] = oracle.record
        oracle.flights = [flight for flight in oracle.flights if flight.record is not None]
        oracle.core.snapshot = Snapshot(oracle.snapshot.config, 0, state=oracle.snapshot.state)

    def kill(self, _action: Action) -> None:
        """The process ends as by a power failure, and another one opens the client again."""
        stage = self._stage
        stage.note("kit", "client", "the process is killed")
        for client in stage.clients.values():
            stage.records[client.name] = client.oracle.record
        stage.clients.clear()
        stage.calls.clear()
        stage.talk.kill()
        stage.desk.let_all_go()
        stage.talk.start()
        stage.desk.forget()
        self._sorting.start_over()
        stage.hail(keep=True)
        self._open(Action("open", "a", "again"))

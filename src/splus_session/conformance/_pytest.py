"""A client in Python, judged in its own tests: one test for each requirement."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from unittest import SkipTest

from splus_session.conformance._campaign import DEFAULT_SEED, NOT_VISIBLE, Campaign
from splus_session.conformance._lines import AdapterError, Idle, Told, parse
from splus_session.conformance._source import Hosted
from splus_session.conformance._talk import Adapter
from splus_session.conformance.adapter import Host, Setup, features_of
from splus_session.conformance.reports._contents import company
from splus_session.conformance.verdicts import Breach, Report, Result, Subject, Verdict
from splus_session.requirements import REQUIREMENTS
from splus_session.testing import FakePlatform, ManualClock

JUDGED: Final = tuple(name for name in REQUIREMENTS if name not in NOT_VISIBLE)
"""The requirements that can be seen from outside."""

_OF_A_RUN: Final = ("time", "sleep", "jump", "again", "several", "reasons")
"""Features that are the kit's doing, or the interface's."""


class Conformance:
    """Subclass it in a pytest file, say how your client is made, and get one test for each requirement.

        class TestMyClient(Conformance):
            deviations = {"LOGOUT-1": "stays terminated, #12"}

            def make_client(self, platform: FakePlatform, clock: ManualClock) -> MyClient:
                return MyClient(platform.api_key, platform=platform.async_client(), clock=clock)

    The client has the interface of `splus_session.aio.Session`, or of `splus_session.sync.Session`;
    what it does not have is not asked for. It gets its handlers through `set_session_handler` and
    `set_access_token_handler`, and may reach the platform in any of `FakePlatform`'s ways.

    A requirement that no scenario reached, or that is not about this client, is skipped and not passed.
    """

    deviations: ClassVar[Mapping[str, str]] = {}
    """Requirements that the client is known to break, and why. One that it keeps after all is an error."""
    seed: ClassVar[int] = DEFAULT_SEED
    """Decides which scenarios are played."""
    budget: ClassVar[int] = 200
    """How many of them."""
    _report: ClassVar[Report | None] = None

    def make_client(self, platform: FakePlatform, clock: ManualClock) -> Any:
        """Make a client that has not been opened, of this platform and by this clock."""
        raise NotImplementedError("say how your client is made")

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each requirement. pytest calls it."""
        if "requirement" in metafunc.fixturenames:
            metafunc.parametrize("requirement", JUDGED)

    def test_requirement(self, requirement: str) -> None:
        """The client keeps it, or breaks it as it is known to."""
        troubles = [trouble for trouble in self.report().troubles if trouble.requirement == requirement]
        if troubles:
            raise AssertionError("\n".join(f"{trouble.sentence}: {trouble.text}" for trouble in troubles))
        result = self.report().result(requirement)
        reason = self.deviations.get(requirement)
        match result.verdict:
            case Verdict.BROKEN if reason is not None:
                raise SkipTest(f"deviates, as is known: {reason}")
            case Verdict.BROKEN:
                raise AssertionError(_told(result))
            case Verdict.KEPT if reason is not None:
                raise AssertionError(f"{requirement} is kept, though this was expected: {reason}")
            case Verdict.KEPT:
                pass
            case Verdict.NOT_REACHED:
                raise SkipTest("no scenario reached it")
            case Verdict.NOT_APPLICABLE:
                raise SkipTest(f"not applicable: {result.why}")

    @classmethod
    def report(cls) -> Report:
        """What came of judging the client; judges it when it is first asked for."""
        if cls.__dict__.get("_report") is None:
            source = _source(cls())
            try:
                cls._report = Campaign(source, seed=cls.seed, budget=cls.budget).run()
            finally:
                source.close()
        report = cls._report
        assert report is not None  # noqa: S101  for the type checker
        return report


class _InProcess:
    """An adapter in this process, around a `Host`."""

    pause = 0.002
    """Requests arrive at once here, so a moment of silence is enough."""

    def __init__(self, test: Conformance, features: tuple[str, ...], *, threaded: bool) -> None:
        self._test = test
        self._platform: FakePlatform | None = None
        self._stack = contextlib.ExitStack()
        host = Host(
            self._make, name="a client", version="", features=features, threaded=threaded, counts=False
        )
        self._host = self._stack.enter_context(host)

    def meet(self, platform: FakePlatform) -> None:
        """See `Adapter.meet`."""
        self._platform = platform

    def _make(self, setup: Setup) -> Any:
        assert self._platform is not None  # noqa: S101  for the type checker
        client = self._test.make_client(self._platform, setup.clock)
        client.set_session_handler(setup.session_handler)
        if setup.access_token_handler is not None:
            client.set_access_token_handler(setup.access_token_handler)
        return client

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        """See `Adapter.send`."""
        try:
            answered = self._host.send(command)
        except TimeoutError as error:
            raise AdapterError(str(error)) from None
        *events, idle = (parse(json.dumps(line).encode()) for line in answered)
        if not isinstance(idle, Idle):
            raise AdapterError("the host does not say idle")
        return [event for event in events if isinstance(event, Told)], idle

    def kill(self) -> None:
        """See `Adapter.kill`."""
        self._stack.close()

    heard = 0
    """See `Adapter.heard`. What it writes is this process's own."""

    def said(self, since: int = 0) -> str:
        """See `Adapter.said`."""
        return ""


def _source(test: Conformance) -> Hosted:
    sample = test.make_client(FakePlatform(clock=(clock := ManualClock())), clock)
    threaded = not hasattr(sample, "__aenter__")
    features = [*features_of(sample), *_OF_A_RUN]
    if hasattr(sample, "__aexit__") or hasattr(sample, "__exit__"):
        features.append("close")
    if not threaded:
        features.append("cancel")
    declared = tuple(sorted(features))

    def make() -> Adapter:
        return _InProcess(test, declared, threaded=threaded)

    return Hosted(make, Subject(f"{type(test).__name__}'s client", "", declared))


def _told(result: Result) -> str:
    return "\n\n".join(_words(breach) for breach in result.breaches)


def _words(breach: Breach) -> str:
    steps = [f"  {n}. {step}" for n, step in enumerate(breach.steps, 1)]
    lines = [f"  {line}" for line in breach.lines]
    return "\n".join(
        [
            f"{breach.requirement}: {breach.sentence}",
            f"expected: {breach.expected}",
            f"observed: {breach.observed}",
            *(f"{when}: {other}" for when, other in company(breach)),
            *steps,
            "what happened:",
            *lines,
        ]
    )

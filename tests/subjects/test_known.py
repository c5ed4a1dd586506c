"""What the vendor's SDKs are known to break: explained, shown by short runs, and as many bugs as we say."""

import conformance_page
import pytest

from splus_session.conformance import _against

SDKS = ("ts6", "ts7")


@pytest.mark.parametrize("name", SDKS)
def test_each_known_breach_is_explained_and_can_be_played(name: str) -> None:
    known = _against.load(conformance_page.SUBJECTS / "vendor" / f"{name}.json")
    assert known
    assert [each.key for each in known if each.reason == _against.UNEXPLAINED] == []


def test_many_bugs_of_the_sdks_were_found_and_each_is_shown_by_a_short_run() -> None:
    bugs = conformance_page.bugs({name: conformance_page.known_breaches(name) for name in SDKS})
    assert len(bugs) >= 15
    assert {number for number, seen in bugs.items() if min(each["commands"] for _, each in seen) > 8} == set()

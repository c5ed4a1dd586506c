"""The page about the drivers shows what only one of them has."""

from collections.abc import Callable, Sequence

import drivers_table
import pytest

from splus_session import aio, sync


class Base:
    def __init__(self, key: str, *, wait: int = 3) -> None:
        """Make one.

        Args:
            key: names it. [LOGIN-1]
            wait: how long
                in all.
        """

    @property
    def state(self) -> str:
        """Where it is. More of that."""
        return ""


class Async(Base):
    async def ask(self, *, when: int = 1) -> None:
        """Ask: and wait. [RENEW-1]"""

    def extra(self) -> None:
        """Only here."""


class Threaded(Base):
    def __init__(self, key: bytes, *, wait: int = 3, patience: float = 0.5) -> None:
        """Make one.

        Args:
            key: names it, too.
            wait: how long in all.
            patience: more
        """

    def ask(self, *, when: int = 2) -> None:
        """Ask"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_what_only_one_has_or_has_otherwise_shows() -> None:
    assert rows(drivers_table.methods((Async, Threaded))) == [
        ["`state`", "attribute", "attribute", "Where it is"],
        [
            "`ask(*, when=1)`<br>`ask(*, when=2)`",
            "`await`",
            "call",
            "Ask [RENEW-1](requirements.md#renew-1)<br>Ask",
        ],
        ["`extra()`", "call", "–", "Only here"],
    ]


def test_an_argument_that_only_one_takes_or_takes_otherwise_shows() -> None:
    assert rows(drivers_table.arguments((Async, Threaded))) == [
        ["`key`", "`str`", "`bytes`", "names it. [LOGIN-1](requirements.md#login-1)<br>names it, too."],
        ["`wait=3`", "yes", "yes", "how long in all."],
        ["`patience=0.5`", "–", "`float`", "more"],
    ]


@pytest.mark.parametrize("table", [drivers_table.methods, drivers_table.arguments])
def test_no_driver_lacks_what_the_other_has(table: Callable[[Sequence[type]], str]) -> None:
    assert [row[0] for row in rows(table(drivers_table.DRIVERS)) if "–" in row] == []


@pytest.mark.parametrize("driver", [aio.Session, sync.Session])
def test_everything_public_is_there_and_said(driver: type) -> None:
    table = rows(drivers_table.methods((driver,)))
    names: Sequence[str] = [row[0].strip("`").partition("(")[0] for row in table]
    assert sorted(names) == sorted(name for name in dir(driver) if not name.startswith("_"))
    assert all(row[-1] for row in table)

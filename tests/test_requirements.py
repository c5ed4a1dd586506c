from collections.abc import Callable
from pathlib import Path

import pytest
from requirements_table import CollectionError, collect, render

from splus_session.requirements import LEVELS, REQUIREMENTS, SOURCES, CatalogueError, parse

# The ids are frozen: one may be added at the end of its group, none changes or goes away.
IDS = [
    "CLIENT-1", "CLIENT-2", "CLIENT-3",
    "LOGIN-1", "LOGIN-2", "LOGIN-3", "LOGIN-4", "LOGIN-5", "LOGIN-6", "LOGIN-7", "LOGIN-8", "LOGIN-9", "LOGIN-10",
    "HANDLER-1", "HANDLER-2", "HOOK-1", "HOOK-2",
    "RENEW-1", "RENEW-2", "RENEW-3", "RENEW-4", "RENEW-5", "RENEW-6",
    "RENEW-7", "RENEW-8", "RENEW-9", "RENEW-10", "RENEW-11", "RENEW-12",
    "EXPIRE-1", "EXPIRE-2", "EXPIRE-3", "EXPIRE-4", "EXPIRE-5",
    "BAN-1", "BAN-2", "BAN-3", "BAN-4", "BAN-5",
    "LOGOUT-1", "LOGOUT-2", "LOGOUT-3", "LOGOUT-4", "LOGOUT-5",
    "OBSERVE-1", "OBSERVE-2", "OBSERVE-3", "OBSERVE-4",
    "RESUME-1", "RESUME-2", "RESUME-3",
    "BACKEND-1", "BACKEND-2", "BACKEND-3", "SECRET-1", "SECRET-2", "SECRET-3", "WIRE-1",
]  # fmt: skip

# Exactly the ids that no test names yet. Whoever writes the first test of one takes it out here.
NOT_YET_TESTED: set[str] = set()

PLANNED = {"RESUME-3"}

ENTRY = """
[[requirement]]
id = "LOGIN-1"
group = "Login"
title = "A title"
source = ["S", "F"]
level = "must"
text = '''
one
  two | three'''
"""

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files into a folder of tests, and return it."""

    def write(sources: dict[str, str]) -> Path:
        for name, source in sources.items():
            path = tmp_path / "tests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf-8")
        return tmp_path / "tests"

    return write


# ── the catalogue ──────────────────────────────────────────────────────────────────────────────────


def test_the_catalogue_has_exactly_the_frozen_ids_in_their_order() -> None:
    assert list(REQUIREMENTS) == IDS
    assert len(set(IDS)) == len(IDS)


def test_every_requirement_says_whence_and_how_binding_it_is() -> None:
    for requirement in REQUIREMENTS.values():
        assert requirement.source
        assert set(requirement.source) <= set(SOURCES)
        assert requirement.level in LEVELS


def test_every_requirement_says_something_of_its_own() -> None:
    assert len({requirement.title for requirement in REQUIREMENTS.values()}) == len(IDS)
    assert len({requirement.text for requirement in REQUIREMENTS.values()}) == len(IDS)


def test_the_groups_are_contiguous() -> None:
    groups = [requirement.group for requirement in REQUIREMENTS.values()]
    changes = [after for before, after in zip(["", *groups], groups, strict=False) if before != after]
    assert len(changes) == len(set(changes))


def test_only_what_is_known_to_be_missing_is_planned() -> None:
    assert {id for id, requirement in REQUIREMENTS.items() if requirement.status == "planned"} == PLANNED


# ── the tests that name it ─────────────────────────────────────────────────────────────────────────


def test_no_test_names_an_unknown_requirement() -> None:
    assert set(collect()) - set(REQUIREMENTS) == set()


def test_every_requirement_has_a_test_or_is_listed_as_having_none() -> None:
    without = set(REQUIREMENTS) - set(collect())
    assert without - PLANNED == NOT_YET_TESTED, "NOT_YET_TESTED lists exactly the ids without a test"
    assert without >= PLANNED, "what has a test is planned no longer"


# ── reading the catalogue ──────────────────────────────────────────────────────────────────────────


def test_white_space_of_a_text_is_folded() -> None:
    requirement = parse(ENTRY)["LOGIN-1"]
    assert requirement.text == "one two | three"
    assert requirement.source == ("S", "F")
    assert requirement.status == "active"


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("[[requirement", "not TOML"),
        ("", r"no \[\[requirement\]\]"),
        ("requirement = 1", r"no \[\[requirement\]\]"),
        ("requirement = [1]", "requirement number 1 is not a table"),
        ("version = 1\n" + ENTRY, "unknown keys: version"),
        (ENTRY + ENTRY, "LOGIN-1 is there twice"),
        (ENTRY + '[[requirement]]\ntitle = "t"', "requirement number 2 has no group, id, level"),
        (ENTRY.replace('title = "A title"\n', ""), "LOGIN-1 has no title"),
        (ENTRY + 'owner = "me"', "LOGIN-1 has unknown fields: owner"),
        (ENTRY.replace("LOGIN-1", "login-1"), "login-1 is not an id"),
        (ENTRY.replace("LOGIN-1", "LOGIN-01"), "LOGIN-01 is not an id"),
        (ENTRY.replace('"LOGIN-1"', "1"), "1 has an empty id, or one that is not text"),
        (ENTRY.replace('"must"', '"may"'), "LOGIN-1 has the unknown level 'may'"),
        (ENTRY + 'status = "done"', "LOGIN-1 has the unknown status 'done'"),
        (ENTRY.replace('["S", "F"]', '["X"]'), "LOGIN-1 has the unknown source"),
        (ENTRY.replace('["S", "F"]', "[]"), "LOGIN-1 has the unknown source"),
        (ENTRY.replace('["S", "F"]', '["S", "S"]'), "LOGIN-1 has the unknown source"),
        (ENTRY.replace('["S", "F"]', '"SF"'), "LOGIN-1 has the unknown source"),
        (ENTRY.replace('"A title"', '" "'), "LOGIN-1 has an empty title"),
        (ENTRY.replace('"must"', '"should"') + 'should_part = "p"', "LOGIN-1 is a should as a whole"),
        (ENTRY + 'status = "planned"\nplanned_part = "p"', "LOGIN-1 is planned as a whole"),
    ],
)
def test_a_catalogue_that_is_not_well_formed_is_refused(toml: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        parse(toml)


# ── collecting from tests ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@pytest.mark.requirement('A-1')\ndef test_x(): ...", {"A-1": "test_x"}),
        ("@mark.requirement('A-1', 'A-2')\ndef test_x(): ...", {"A-1": "test_x", "A-2": "test_x"}),
        ("@pytest.mark.requirement('A-1')\nasync def test_x(): ...", {"A-1": "test_x"}),
        (
            "@pytest.mark.requirement('A-1')\nclass TestX:\n  def test_y(self): ...",
            {"A-1": "TestX"},
        ),
        (
            "class TestX:\n  @pytest.mark.requirement('A-1')\n  def test_y(self): ...",
            {"A-1": "TestX::test_y"},
        ),
        (
            "class TestX:\n  pytestmark = [pytest.mark.requirement('A-1')]\n  def test_y(self): ...",
            {"A-1": "TestX"},
        ),
        ("@pytest.mark.requirement('A-1')\nclass TestX(Contract): ...", {"A-1": "TestX"}),
        ("TestX = pytest.mark.requirement('A-1')(Machine.TestCase)", {"A-1": "TestX"}),
        (
            "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.requirement('A-1'))])\n"
            "def test_x(n): ...",
            {"A-1": "test_x"},
        ),
        (
            "if sys.version_info > (3, 12):\n  @pytest.mark.requirement('A-1')\n  def test_x(): ...",
            {"A-1": "test_x"},
        ),
        (
            "try:\n  import x\nexcept ImportError:\n  @pytest.mark.requirement('A-1')\n  def test_x(): ...",
            {"A-1": "test_x"},
        ),
        ("def test_x(): ...\ndef helper(requirement): return requirement('A-1')", {}),
        ("text = \"pytest.mark.requirement('A-1')\"", {}),
    ],
)
def test_marks_are_found_where_pytest_finds_them(tree: Tree, source: str, found: dict[str, str]) -> None:
    tests = tree({"sub/test_a.py": source})
    assert collect(tests) == {id: (f"tests/sub/test_a.py::{name}",) for id, name in found.items()}


@pytest.mark.parametrize("mark", ["pytest.mark.requirement('A-1')", "[mark.requirement('A-1')]"])
def test_a_mark_on_a_module_names_the_module(tree: Tree, mark: str) -> None:
    tests = tree({"test_a.py": f"pytestmark = {mark}\ndef test_x(): ..."})
    assert collect(tests) == {"A-1": ("tests/test_a.py",)}


def test_what_is_collected_is_sorted_and_each_name_is_there_once(tree: Tree) -> None:
    marked = "@pytest.mark.requirement('B-1')\n@pytest.mark.requirement('B-1', 'A-1')\n"
    tests = tree(
        {
            "test_b.py": f"{marked}def test_z(): ...\n{marked}def test_y(): ...",
            "test_a.py": f"{marked}def test_x(): ...",
        }
    )
    names = ("tests/test_a.py::test_x", "tests/test_b.py::test_y", "tests/test_b.py::test_z")
    assert list(collect(tests).items()) == [("A-1", names), ("B-1", names)]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("def test_x(:", r"tests/test_a\.py:1: "),
        ("\n@pytest.mark.requirement()\ndef test_x(): ...", r"tests/test_a\.py:2: .*plain strings"),
        ("@pytest.mark.requirement(ID)\ndef test_x(): ...", "plain strings"),
        ("@pytest.mark.requirement('A-1', *IDS)\ndef test_x(): ...", "plain strings"),
        ("@pytest.mark.requirement('A-1', id='A-2')\ndef test_x(): ...", "plain strings"),
        ("@pytest.mark.requirement\ndef test_x(): ...", "has no ids"),
        ("requirement = pytest.mark.requirement", "has no ids"),
        ("@pytest.mark.requirement('A-1')\ndef helper(): ...", "no test that pytest finds"),
        ("@pytest.mark.requirement('A-1')\nclass Machine(Base): ...", "no test that pytest finds"),
        ("@pytest.mark.requirement('A-1')\nclass TestX: ...", "no test that pytest finds"),
        ("pytestmark = pytest.mark.requirement('A-1')", "no test that pytest finds"),
        ("pytest.mark.requirement('A-1')", "no test that pytest finds"),
    ],
)
def test_a_mark_that_would_hold_nothing_is_refused(tree: Tree, source: str, complaint: str) -> None:
    with pytest.raises(CollectionError, match=complaint):
        collect(tree({"test_a.py": source}))


def test_a_folder_that_is_not_there_is_an_error_and_not_a_folder_without_tests(
    tmp_path: Path,
) -> None:
    with pytest.raises(CollectionError, match="no such folder"):
        collect(tmp_path / "tests")


# ── the page ───────────────────────────────────────────────────────────────────────────────────────


def test_the_page_names_each_requirement_and_its_tests() -> None:
    page = render(parse(ENTRY), {"LOGIN-1": ("a.py::b", "a.py::c")})
    _, _, section = page.partition("### LOGIN-1\n")
    assert section == (
        "\nmust · from S, F\n\n**A title.** one two | three\n\n"
        "<details><summary>held by 2 tests</summary>\n\n- `a.py::b`\n- `a.py::c`\n\n</details>\n"
    )
    assert "held by 1 test<" in render(parse(ENTRY), {"LOGIN-1": ("a.py::b",)})


def test_a_requirements_heading_is_its_id_so_the_same_links_lead_there_everywhere() -> None:
    lines = render(REQUIREMENTS, {}).splitlines()
    assert [line.removeprefix("### ") for line in lines if line.startswith("### ")] == IDS


def test_the_page_says_what_is_planned_and_what_is_a_should() -> None:
    page = render(REQUIREMENTS, {})
    assert "### RESUME-3\n\nmust (planned) · from" in page
    assert "### RENEW-1\n\nmust; should: the jitter · from" in page
    assert page.count("No test holds it yet.") == len(IDS)
    partly = render(parse(ENTRY + 'planned_part = "the rest"'), {})
    assert "\nmust; planned: the rest · from" in partly


def test_the_page_refuses_tests_of_unknown_requirements() -> None:
    with pytest.raises(CollectionError, match=r"LOGIN-2 is not in the catalogue.*a\.py::b"):
        render(parse(ENTRY), {"LOGIN-2": ("a.py::b",)})

"""The lists of what is checked agree, whoever checks; and what nobody checks is named with its reason."""

from collections import Counter
from pathlib import Path

import pytest
import requirements_table
from generate import REGISTRY

from models import figures
from models.proofs.claims import CLAIMS
from models.sentences import NOT_IN_THE_MODEL, NOT_MODELLED, Sentence, sentences
from models.tlc import modules
from models.tlc.lasting import ENDLESS
from splus_session.explore import EVENTUALLY, NOT_PROMISED
from splus_session.requirements import REQUIREMENTS
from tests.models.test_lasting import IN_THE_MODEL_ALONE
from tests.properties.monitors import all_properties
from tests.properties.watching import NOT_IN_A_SLICE, all_monitors

ALL: list[Sentence] = list(sentences())


def named(who: str) -> set[str]:
    """The sentences that somebody checks."""
    return {each.name for each in ALL if getattr(each, who)}


def test_a_sentence_is_there_once() -> None:
    assert [name for name, times in Counter(each.name for each in ALL).items() if times > 1] == []


def test_the_model_says_what_is_said_of_the_code() -> None:
    invariants, actions = modules.properties()
    promised, _ = modules.liveness()
    in_model = {*invariants, *actions, *promised} - IN_THE_MODEL_ALONE
    assert in_model == {modules.property_name(name) for name in named("model")}
    assert len(in_model) == len(named("model")), "two names have become one without their spaces"


def test_the_explorer_its_monitors_the_properties_and_the_proofs_say_what_is_listed() -> None:
    monitors = {monitor.name for monitor in all_monitors()}
    assert named("explored") == monitors - NOT_IN_A_SLICE.keys() | {each.name for each in EVENTUALLY}
    assert named("drawn") == {each.name for each in all_properties()}
    assert named("proved") == {claim.name for claim in CLAIMS}
    assert {
        each.name for each in ALL if not (each.explored or each.model or each.drawn or each.proved)
    } == set()


def test_what_is_left_out_somewhere_is_a_sentence() -> None:
    assert NOT_IN_THE_MODEL.keys() | NOT_IN_A_SLICE.keys() <= {each.name for each in ALL}


def test_what_is_not_promised_is_the_same_everywhere() -> None:
    _, hopes = modules.liveness()
    assert set(hopes) == {modules.property_name(each.name) for each in NOT_PROMISED} == set(ENDLESS)


def test_every_requirement_has_a_sentence_or_a_reason_why_it_has_none() -> None:
    spoken_for = {id for each in ALL for id in each.requirements}
    assert spoken_for | NOT_MODELLED.keys() == REQUIREMENTS.keys()
    assert spoken_for & NOT_MODELLED.keys() == set()


@pytest.mark.parametrize("id", NOT_MODELLED)
def test_what_cannot_be_modelled_is_tested(id: str) -> None:
    assert requirements_table.collect().get(id) or REQUIREMENTS[id].status == "planned"


def test_the_pages_have_every_sentence_and_every_requirement() -> None:
    [readme] = [entry.generate() for entry in REGISTRY if entry.path == "models/README.md"]
    [page] = [entry.generate() for entry in REGISTRY if entry.path.endswith("proved-tested-assumed.md")]
    assert isinstance(readme, str)
    assert isinstance(page, str)
    assert [each.name for each in ALL if f"| {each.name} |" not in readme] == []
    assert [id for id in REQUIREMENTS if f"[{id}](" not in page] == []
    assert [each.name for each in NOT_PROMISED if each.name not in readme] == []


def test_a_run_that_comes_to_other_figures_says_so_unless_they_are_to_be_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    assert figures.agree("slices", {"edges": 3}, lock=True, path=path)
    assert figures.agree("other", {"edges": 5}, lock=True, path=path)
    assert figures.agree("slices", {"edges": 3}, lock=False, path=path)
    assert not figures.agree("slices", {"edges": 4}, lock=False, path=path)
    assert "stale in 'slices': run `make lock`" in capsys.readouterr().err
    assert figures.kept(path) == {"other": {"edges": 5}, "slices": {"edges": 3}}

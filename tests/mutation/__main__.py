# pyright: reportMissingImports=false
# Those are installed for `make mutants` alone.
"""Changes the core in every small way there is, and hears whether a test notices: `make mutants`.

mutmut changes what is in functions, and tries each change in a fork. What it leaves out is tried
here, each change in a new process: the tables and constants of a module, and properties.
"""

import difflib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.__main__ import cli
from mutmut.configuration import config
from mutmut.mutation import mutators
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import (
    find_top_level_function_or_method,
    get_diff_for_mutant,
    read_functions_from_index,
    read_orig_module,
)
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.pragma_handling import IgnoredCode
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutation import operators
from tests.mutation.equivalents import Mutant, between, equivalents

SEEN = ("killed", "timeout")
MEMORY = 2**30
"""Bytes that a process may have. A core that never comes to rest soon needs more."""


class Change(NamedTuple):
    """A mutant, the file that it is in, and what that reads then."""

    mutant: Mutant
    path: Path
    code: str


class Verdict(NamedTuple):
    """What became of a mutant: one of `SEEN`, or something worse."""

    mutant: Mutant
    became: str


def inside_functions() -> Iterator[Verdict | Change]:
    """What mutmut found out, and again what it saw nobody notice, since some functions run on import.

    Where it was out of patience is tried again too: that may have been a machine with much to do.
    """
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        source = read_orig_module(path)
        for name, code in data.exit_code_by_key.items():
            function, kind = orig_function_and_class_names_from_key(name)
            where = ".".join(filter(None, (path.stem, kind, function)))
            mutant = between(where, get_diff_for_mutant(name, path=path).splitlines()[2:])
            if status_by_exit_code[code] == "killed":
                yield Verdict(mutant, "killed")
            else:
                original = find_top_level_function_or_method(source, function)
                both = read_functions_from_index(name, path)
                assert original is not None
                assert both is not None
                changed = deep_replace(source, original, both[1])
                assert isinstance(changed, cst.Module)
                yield Change(mutant, path, changed.code)


class OutsideFunctions(MutationVisitor):
    """Finds the changes that mutmut does not make: outside functions, and in those with a decorator."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            decorators = [getattr(each.decorator, "value", None) for each in node.decorators]
            return decorators in ([], ["classmethod"], ["staticmethod"])
        return bool(super()._skip_node_and_children(node))


def outside_functions() -> Iterator[Change]:
    """What mutmut leaves alone."""
    for path in walk_mutatable_files():
        source = path.read_text("utf-8")
        visitor = OutsideFunctions(mutators.mutation_operators, IgnoredCode(set(), set(), set()))
        module = MetadataWrapper(cst.parse_module(source)).visit(visitor)
        for mutation in visitor.mutations:
            changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
            assert isinstance(changed, cst.Module)
            lines = difflib.unified_diff(source.splitlines(), changed.code.splitlines(), n=0)
            yield Change(between(path.stem, list(lines)[2:]), path, changed.code)


def trial(change: Change | Verdict) -> Verdict:
    """Run the tests on a copy of the library with this change."""
    if isinstance(change, Verdict):
        return change
    mutant, path, code = change
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree("src", folder, dirs_exist_ok=True)
        (Path(folder) / path.relative_to("src")).write_text(code, "utf-8")
        tests = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
        command = [sys.executable, "-m", "pytest", "-x", "-q", *tests]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return Verdict(mutant, "timeout")
        return Verdict(mutant, "survived" if done.returncode == 0 else "killed")


def main() -> int:
    """Try all changes. It fails if one was not noticed that is not listed, and if the list is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    shutil.rmtree("mutants", ignore_errors=True)
    operators.install()
    cli(["run", *sys.argv[1:]], standalone_mode=False)
    path = next(walk_mutatable_files())
    unchanged = Change(Mutant(path.stem, "", ""), path, path.read_text("utf-8"))
    assert trial(unchanged).became == "survived", "without a change the tests must pass"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return report(list(pool.map(trial, [*inside_functions(), *outside_functions()])))


def report(verdicts: list[Verdict]) -> int:
    """Compare what came out with what is listed, and tell the differences."""
    listed = equivalents()
    seen = {mutant for mutant, became in verdicts if became in SEEN}
    unseen = [verdict for verdict in verdicts if verdict.became not in SEEN]
    unexplained = [verdict for verdict in unseen if verdict.mutant not in listed]
    unfounded = listed.keys() - {verdict.mutant for verdict in unseen}
    for mutant, became in unexplained:
        print(f"\n{became}, and not in the list: {list(mutant)}")
    for mutant in unfounded:
        print(f"\nin the list, and {'killed' if mutant in seen else 'not there any more'}: {list(mutant)}")
    print(
        f"\n{len(verdicts)} mutants: {len(verdicts) - len(unseen)} killed, "
        f"{len(unseen) - len(unexplained)} equivalent, {len(unexplained)} unexplained"
    )
    return 1 if unexplained or unfounded else 0


if __name__ == "__main__":
    sys.exit(main())

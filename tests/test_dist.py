"""What is shipped: everything of the package, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both archives, the wheel built from the sdist as an installer without wheels would."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


def test_the_wheel_is_the_package_and_its_licence(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name for name in names if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "splus_session").rglob("*")
        if path.is_file() and not any(part == "__pycache__" or part[0] == "." for part in path.parts)
    }
    assert shipped == ours
    assert "splus_session/py.typed" in shipped
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_declares_its_two_dependencies_and_its_extras(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    required = [line for line in lines if line.startswith("Requires-Dist: ")]
    assert [line for line in required if "extra ==" not in line] == [
        "Requires-Dist: attrs>=24.2",
        "Requires-Dist: python-statemachine<3.3,>=3.2.2",
    ]
    extras = {line.removeprefix("Provides-Extra: ") for line in lines if line.startswith("Provides")}
    assert extras == {
            "aio", "all", "backend", "completion", "conformance", "diagram", "http", "sphinx", "testing",
        }  # fmt: skip
    assert not [line for line in required if "pytest" in line], "nothing that is shipped imports it"


def test_the_sdist_brings_its_tests_and_nothing_of_the_working_tree(dist: Path) -> None:
    [sdist] = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "tests/test_dist.py"} <= names
    assert ".ci/python.sh" in names, "the Makefile runs it"
    assert not [name for name in names if name.startswith((".venv", ".git/", ".mypy", "dist"))]

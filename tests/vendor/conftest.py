"""The vendor's SDK, installed on demand, outside of what is tracked.

Its version and those of all it needs are fixed by `package-lock.json`, which names no registry:
npm takes whichever is configured.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "vendor-sdk"
MANIFEST = ("package.json", "package-lock.json")
NODE = (18, "the first with fetch, Request and Headers, which the SDK takes for granted")


def skip(reason: str) -> NoReturn:
    pytest.skip(f"the vendor's SDK does not judge the fake platform: {reason}")


@pytest.fixture(scope="session")
def sdk() -> Path:
    """The folder that the SDK is installed in. Skips, saying why, where that cannot be done."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"there is no {program} on PATH")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < NODE[0]:
        skip(f"Node.js is {version.strip()}; it takes {NODE[0]}, {NODE[1]}")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in MANIFEST)).hexdigest()
    folder = CACHE / digest[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    # Tests run in several processes; one of them installs.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            install(folder)
    return folder


def install(folder: Path) -> None:
    """Install into a folder that is there either as a whole or not at all."""
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        part = Path(temporary, "part")
        part.mkdir()
        for name in MANIFEST:
            shutil.copy(HERE / name, part)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=part, capture_output=True, text=True, timeout=240, check=True)
        except subprocess.TimeoutExpired:
            skip("npm did not install it in 240 s")
        except subprocess.CalledProcessError as error:
            skip(f"npm could not install it:\n{error.stderr}")
        part.rename(folder)

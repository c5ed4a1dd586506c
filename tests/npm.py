"""What tests take from npm, installed on demand, outside of what is tracked.

Its version and those of all it needs are fixed by a `package-lock.json`, which names no registry:
npm takes whichever is configured.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).parent.parent / ".cache" / "npm"
MANIFEST: Final = ("package.json", "package-lock.json")
NODE: Final = (18, "the first with fetch, Request and Headers, which the vendor's SDKs take for granted")


class CannotInstallError(Exception):
    """Why it is not here."""


def installed(source: Path) -> Path:
    """The folder that the packages named in another folder's manifest are installed in.

    Raises:
        CannotInstallError: in words for whoever is to see why a test is skipped.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise CannotInstallError(f"there is no {program} on PATH")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < NODE[0]:
        raise CannotInstallError(f"Node.js is {version.strip()}; it takes {NODE[0]}, {NODE[1]}")
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in MANIFEST)).hexdigest()
    folder = CACHE / digest[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    # Tests run in several processes; one of them installs.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(source, folder)
    return folder


def _install(source: Path, folder: Path) -> None:
    """Install into a folder that is there either as a whole or not at all."""
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        part = Path(temporary, "part")
        part.mkdir()
        for name in MANIFEST:
            shutil.copy(source / name, part)
        # The peers are a phone's modules, which are stood in for.
        command = ["npm", "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=part, capture_output=True, text=True, timeout=240, check=True)
        except subprocess.TimeoutExpired as error:
            raise CannotInstallError("npm did not install it in 240 s") from error
        except subprocess.CalledProcessError as error:
            raise CannotInstallError(f"npm could not install it:\n{error.stderr}") from error
        part.rename(folder)

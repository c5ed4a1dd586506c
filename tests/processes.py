"""Programs run in a process of their own, to see whether and how it ends."""

import subprocess
import sys
import textwrap


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program until it ends. One that does not end fails its test."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def output(program: str, *arguments: str) -> list[str]:
    """The lines that it prints. It must end well and say nothing else."""
    done = run(program, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()

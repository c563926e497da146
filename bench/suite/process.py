"""Runs one command and says what it took: wall time, CPU time, peak memory.

Owns the measuring of processes; it must never interpret what a command printed.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

LAUNCH = pathlib.Path(__file__).with_name("launch.py")


class Failed(Exception):
    """A command that did not do its work; the message is for the reader of the bench."""


class Run:
    """What one run of a command took. `seconds` wall, `cpu` user and system, `mib` peak resident memory."""

    def __init__(self, seconds, cpu, mib, out, err, code):
        self.seconds, self.cpu, self.mib = seconds, cpu, mib
        self.out, self.err, self.code = out, err, code


def run(command, cwd=None, env=None, check=True):
    """Runs a command to its end, through a small process that measures it."""
    command = [str(part) for part in command]
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in ("report", "out", "err")]
        subprocess.run([sys.executable, "-I", "-S", LAUNCH, *files, *command], cwd=cwd,
                       env={**os.environ, **(env or {})}, stderr=subprocess.DEVNULL, check=False)
        if not files[0].exists():
            raise Failed(f"`{command[0]}` could not be started")
        seconds, cpu, kib, code = files[0].read_text().split()
        out, err = (file.read_bytes().decode("utf-8", "replace") for file in files[1:])
    found = Run(float(seconds), float(cpu), int(kib) / 1024, out, err, int(code))
    if check and found.code != 0:
        tail = "\n".join((found.err or found.out).strip().splitlines()[-12:])
        raise Failed(f"`{' '.join(command)[:300]}` ended with {found.code}:\n{tail}")
    return found


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2

"""Runs one command and says what it took: wall time, CPU time, peak memory.

Owns the measuring of processes; it must never interpret what a command printed.
"""

import os
import subprocess
import tempfile
import time


class Failed(Exception):
    """A command that did not do its work; the message is for the reader of the bench."""


class Run:
    """What one run of a command took. `seconds` wall, `cpu` user and system, `mib` peak resident memory."""

    def __init__(self, seconds, cpu, mib, out, err, code):
        self.seconds, self.cpu, self.mib = seconds, cpu, mib
        self.out, self.err, self.code = out, err, code


def run(command, cwd=None, env=None, check=True):
    """Runs a command to its end. Output goes through files, so that no pipe slows it down."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=cwd,
                                 env={**os.environ, **(env or {})})
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    found = Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, *texts, child.returncode)
    if check and found.code != 0:
        tail = "\n".join((found.err or found.out).strip().splitlines()[-12:])
        raise Failed(f"`{' '.join(command)[:300]}` ended with {found.code}:\n{tail}")
    return found


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2

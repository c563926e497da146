"""Starts one command and writes what it took; a process of its own, and a small one.

The kernel counts a new process's peak memory from that of the process that started it, so a bench that
once held a large answer would lend its own peak to every tool after it. This one holds nothing.

    python -I -S launch.py REPORT OUT ERR COMMAND …
"""

import os
import sys
import time


def main():
    report, out, err, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, out, flags, 0o600),
               (os.POSIX_SPAWN_OPEN, 2, err, flags, 0o600)]
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w", encoding="ascii") as file:
        file.write(f"{seconds} {used.ru_utime + used.ru_stime} {used.ru_maxrss} {code}")


if __name__ == "__main__":
    main()

"""Durable ledger entries beside raw SQLite, and edits in a long life. Both are measured by programs of the
store (`crates/store/benches`); this only runs them and makes their JSON a table.
"""

import json

from . import environment, process, race

BENCHES = environment.ROOT / "crates" / "store" / "benches"


def program(env, name):
    """What the store's bench program prints: JSON on its last line. None when there is no such program."""
    if not (BENCHES / f"{name}.rs").exists():
        env.say(f"there is no `crates/store/benches/{name}.rs`; this part is left out")
        return None
    env.say(f"running the store's bench `{name}`")
    done = env.cargo("bench", "-q", "-p", "backstay-store", "--bench", name)
    lines = [line for line in done.out.strip().splitlines() if line.startswith("{")]
    if not lines:
        raise process.Failed(f"`cargo bench -p backstay-store --bench {name}` printed no JSON")
    return json.loads(lines[-1])


def section(env):
    """Durable ledger entries a second."""
    return None


def edits(env):
    """One row edited after many."""
    return None

"""Durable ledger entries beside raw SQLite, and edits in a long life. Both are measured by a program of the
store, `crates/store/benches/life.rs`; this runs it and makes a table of its JSON.
"""

import json

from . import environment, process, race


def section(env):
    """What the store says of its entries and of edits after many edits."""
    if not (environment.ROOT / "crates" / "store" / "benches" / "life.rs").exists():
        unknown = {"work": "durable ledger entries; edits after many edits", "budget": "–", "ours": "–",
                   "said": "not measured: the store has no program for it yet"}
        return {"title": "Entries and edits", "notes": ["Not measured."], "budgets": [unknown]}
    edits, entries = (5_000, 4_000) if env.quick else (100_000, 20_000)
    env.say(f"running the store's bench: {entries:,} entries, {edits:,} edits")
    done = env.cargo("bench", "-q", "-p", "backstay-store", "--bench", "life", "--", str(edits), str(entries))
    if "{" not in done.out:
        raise process.Failed("`cargo bench -p backstay-store --bench life` printed no JSON")
    said = json.loads(done.out[done.out.index("{"):])
    rows, budgets = [], []
    for key, name, least in (("one_by_one", "one by one", 0.9), ("in_hundreds", "in hundreds", 0.8)):
        part = said[key]
        rows.append([f"durable entries, {name}", f"{part['sqlite_per_s']:,.0f} a second in SQLite (WAL, full sync)",
                     f"{part['ledger_per_s']:,.0f} a second in the ledger", f"{part['ratio']:.2f}"])
        budgets.append(race.at_least(f"durable ledger entries, {name}, beside SQLite", least, part["ratio"], "×"))
    for key, name in (("edit", "one edit"), ("row_and_history", "the row and its history"), ("manifest", "a manifest")):
        part = said[key]
        first, last = (part[f"after_{count}_us"] for count in (1000, edits))
        rows.append([f"{name}, in µs", f"{first:,.0f} after 1,000 edits", f"{last:,.0f} after {edits:,}",
                     f"{part['ratio']:.2f}"])
        if key != "manifest":
            budgets.append(race.limit(f"{name} after {edits:,} edits, beside after 1,000", 2.0, part["ratio"], "×"))
    return {
        "title": "Entries and edits",
        "notes": ["Entries carry the same bytes as the rows of SQLite beside them; the ledger's part keeps the tree,"
                  " the evidence digest and a signed checkpoint as well."],
        "head": ["work", "", "", "ratio"], "rows": rows, "budgets": budgets,
    }

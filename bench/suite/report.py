"""The results as Markdown. Owns the page between the markers of bench/README.md, and nothing else of it."""

BEGIN = "<!-- results: written by bench/run.py -->"
END = "<!-- end of results -->"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(out)


def page(facts, sections):
    """Everything between the markers: the machine, the budgets, then the parts in order."""
    parts = [f"Measured {facts['date']}{', quick' if facts['quick'] else ''}: {facts['machine']}; {facts['load']}."
             f" Median of {facts['runs']} runs in turns, least and greatest in brackets."
             f" {facts['versions']}. Backstay: {facts['backstay']}."]
    if facts["missing"]:
        parts.append("Could not be installed: " + "; ".join(f"{k} ({v})" for k, v in facts["missing"].items()) + ".")
    budgets = [budget for part in sections for budget in part.get("budgets", [])]
    if budgets:
        parts.append("## Budgets")
        keys = ["work", "budget", "ours", "said"]
        parts.append(table(["work", "budget", "ours", ""], [[row[key] for key in keys] for row in budgets]))
    for part in sections:
        parts.append(f"## {part['title']}")
        parts += part.get("notes", [])
        if part.get("rows"):
            parts.append(table(part["head"], part["rows"]))
    return "\n\n".join(parts)


def put(path, text):
    """Puts the page between the markers of a file; other text in it stays."""
    known = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in known or END not in known:
        raise ValueError(f"`{path}` lacks the markers `{BEGIN}` and `{END}`")
    head, rest = known.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    path.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")

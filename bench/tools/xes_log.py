"""Writes an event log of so many events by repeating the traces of a real one under new names."""

import gzip
import pathlib
import re
import sys


def main():
    source, target, wanted = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    text = gzip.decompress(source.read_bytes()).decode("utf-8")
    first = text.index("<trace>")
    last = text.rindex("</trace>") + len("</trace>")
    head, tail = text[:first], text[last:]
    traces = re.findall(r"<trace>.*?</trace>", text[first:last], re.DOTALL)
    name = re.compile(r'(<string key="concept:name" value=")')
    events = turn = 0
    with gzip.open(target, "wt", compresslevel=6, encoding="utf-8", newline="") as out:
        out.write(head)
        while events < wanted:
            for trace in traces:
                out.write(name.sub(rf"\g<1>{turn}-", trace, count=1) if turn else trace)
                out.write("\n\t")
                events += trace.count("<event>")
                if events >= wanted:
                    break
            turn += 1
        out.write(tail)
    print(events)


if __name__ == "__main__":
    main()

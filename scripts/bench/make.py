"""Writes the shipped cases: templates filled with values that are valid and belong to nobody.

Usage: python scripts/bench/make.py [FILE]

``dev.txt`` and ``test.txt`` hold the templates, those of ``test`` written to measure by: who works
on detectors does not read them. A template begins with a line ``== STYLE LANGUAGE [xTIMES]`` and
goes to the next. In it ``<<kind>>`` is a value of that kind, ``<<~kind>>`` one that is not marked,
``<<ENTITY|words>>`` words that are marked; of ``<<?kind>>`` and ``<<?|words>>`` nothing is asked.
"""

import gzip
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from values import Make, make_kinds, numbered, one_of

from cipherset.pipeline.sanitize import bench

HERE = Path(__file__).parent
TO = Path(bench.__file__).with_name("cases.jsonl.gz")
SEED = 20261126
TIMES = 5
SLOT = re.compile(r"<<(?P<mark>[~?]?)(?P<kind>\w*)(?:\|(?P<words>.*?))?>>", re.DOTALL)
HEAD = re.compile(r"^== (?P<style>\S+) (?P<language>\S+)(?: x(?P<times>\d+))?\n", re.MULTILINE)
# What is done to one part of the cases, and what to the signs: nothing in the text may part spans.

TRICKS = {
    "wide": str.maketrans({str(n): chr(0xFF10 + n) for n in range(10)}),
    "arabic": str.maketrans({str(n): chr(0x660 + n) for n in range(10)}),
}


@dataclass(frozen=True)
class Template:
    """A text with slots."""

    split: str
    style: str
    language: str
    times: int
    text: str


def templates(split: str) -> Iterator[Template]:
    parts = HEAD.split((HERE / f"{split}.txt").read_text(encoding="utf-8"))
    for style, language, times, text in zip(*[iter(parts[1:])] * 4, strict=True):
        yield Template(split, style, language, int(times or TIMES), text.strip("\n"))


def word_kinds() -> Iterator[tuple[str, str | None, list[str]]]:
    head, words = "", []
    for line in [*(HERE / "words.txt").read_text(encoding="utf-8").splitlines(), "== end -"]:
        if line.startswith("== "):
            if head:
                name, entity = head.split()
                yield name, None if entity == "-" else entity, words
            head, words = line[3:], []
        elif line and not line.startswith("#"):
            words.append(line)


class Filler:
    """Fills templates; the same seed and the same files make the same cases."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(SEED)
        self.kinds: dict[str, tuple[str | None, Make]] = make_kinds()
        for name, entity, words in word_kinds():
            self.kinds[name] = (entity, self._chooser(words))

    @staticmethod
    def _chooser(words: list[str]) -> Make:
        return lambda rng: numbered(rng, one_of(rng, *words))

    def filled(self, template: Template) -> dict[str, object]:
        pieces: list[str] = []
        spans: list[list[object]] = []
        ignored: list[list[int]] = []
        position = done = 0
        for slot in SLOT.finditer(template.text):
            before = template.text[done : slot.start()]
            value, entity = self._value(slot, template.style)
            start = position + len(before)
            position, done = start + len(value), slot.end()
            pieces += [before, value]
            if slot["mark"] == "?":
                ignored.append([start, position])
            elif entity is not None:
                spans.append([start, position, entity])
        pieces.append(template.text[done:])
        case = {"text": "".join(pieces), "spans": spans}
        return case | ({"ignored": ignored} if ignored else {})

    def _value(self, slot: re.Match[str], style: str) -> tuple[str, str | None]:
        kind, words = slot["kind"], slot["words"]
        if words is not None:
            return words, None if slot["mark"] else kind
        entity, make = self.kinds[kind]
        value = make(self.rng)
        trick = style.partition("-")[2]
        if trick in TRICKS:
            value = value.translate(TRICKS[trick])
        elif trick == "hidden":
            middle = len(value) // 2
            value = value[:middle] + "\u200b" + value[middle:]
        elif trick == "decomposed":
            value = unicodedata.normalize("NFD", value)
        return value, None if slot["mark"] else entity


def cases() -> Iterator[dict[str, object]]:
    filler = Filler()
    for split in ("dev", "test"):
        seen: set[object] = set()
        for number, template in enumerate(templates(split)):
            for time in range(template.times):
                case = filler.filled(template)
                if case["text"] in seen:
                    continue
                seen.add(case["text"])
                yield {
                    "id": f"{split}-{number}-{time}",
                    "split": split,
                    "style": template.style,
                    "language": template.language,
                } | case


def main() -> int:
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else TO
    lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases())
    # No time in it: the same cases are the same bytes.
    to.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())

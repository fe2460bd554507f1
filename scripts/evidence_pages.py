"""Write the tables of docs/evidence.json into the pages: between ``evidence`` marks of their name.

    <!-- evidence: NAME -->
    <!-- /evidence -->

What stands between the marks is replaced; nothing else is touched.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "docs" / "evidence.json"
MARKED: Final = re.compile(
    r"^<!-- evidence: (?P<name>\S+) -->\n.*?^<!-- /evidence -->$", re.DOTALL | re.MULTILINE
)


def main() -> int:
    """Write every page that has marks; return 0, or 2 if one names a table that is not there."""
    tables = json.loads(FILE.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        unknown = [name for name in named(text) if name not in tables]
        if unknown:
            print(f"{path}: {', '.join(unknown)} not in {FILE}", file=sys.stderr)
            return 2
        if (filled := page(text, tables)) != text:
            path.write_text(filled, encoding="utf-8")
    return 0


def named(text: str) -> list[str]:
    """Return the tables that a page shows."""
    return [match["name"] for match in MARKED.finditer(text)]


def page(text: str, tables: Mapping[str, Any]) -> str:
    """Return the page with each of its tables as the file has it."""

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- evidence: {name} -->\n{shown(tables[name])}\n<!-- /evidence -->"

    return MARKED.sub(filled, text)


def shown(table: Mapping[str, Any]) -> str:
    """Return one table with its title and what it was made of, when and by what."""
    header = table["header"]
    lines = [f"#### {table['title']}", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in table["rows"]]
    if table["note"]:
        lines += ["", table["note"]]
    seeds = table["seeds"]
    seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    made = f"{'; '.join(table['data'])}. {table['date']}, version {table['version']}, {seed}."
    return "\n".join([*lines, "", f"*Data: {made}*", ""])


if __name__ == "__main__":
    sys.exit(main())

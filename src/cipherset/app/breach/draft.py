"""The draft of a notification: what the workspace knows, and gaps for what only people know.

Source: Regulation (EU) 2016/679 (GDPR), article 33(3)(a) to (d) and article 34(2) and (3).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_GAP: Final = "[to be filled in]"
_NOT_KNOWN: Final = "not known: no column that would tell was sealed"


def draft(facts: Mapping[str, Any]) -> str:
    """The draft as Markdown; ``facts`` are those of the command's JSON."""
    return "\n".join(
        [
            "# Notification of a personal data breach (draft)",
            "",
            "To the supervisory authority, within 72 hours of becoming aware of it (GDPR art. 33).",
            "This draft states what the ledger and the sealed exports say; it is no legal advice.",
            "",
            f"- Became aware of it on: {_GAP}. If later than 72 hours ago, why: {_GAP}",
            "",
            "## (a) Nature of the breach",
            "",
            f"- What was taken: {facts['kind']} `{facts['asset'][:23]}` ({_words(facts)})",
            f"- When and how: {_GAP}",
            *_categories(facts),
            f"- Records concerned: {facts['rows']} rows, of which {facts['records']} differ",
            f"- Persons concerned: {_number(facts['people'])}",
            f"- Tenants concerned: {_number(facts['tenants'])}",
            *_lost(facts["unreadable"]),
            "",
            "## (b) Contact",
            "",
            f"- Data protection officer or other contact: {_GAP}",
            "",
            "## (c) Likely consequences",
            "",
            *_consequences(facts),
            "",
            "## (d) Measures taken or proposed",
            "",
            *(f"- {each}" for each in facts["measures"]),
            "",
            "## Communication to the persons (art. 34)",
            "",
            "Needed where the risk to them is high, unless what was taken is unintelligible to",
            "whoever has it (art. 34(3)(a)). The figures under (c) are what was measured of that;",
            f"whether it holds, the controller decides: {_GAP}",
            "",
        ]
    )


def _words(facts: Mapping[str, Any]) -> str:
    if facts["plain"]:
        return "rows in the clear"
    return f"bearing on {len(facts['exports'])} encrypted exports"


def _categories(facts: Mapping[str, Any]) -> Iterator[str]:
    label = facts["label"]
    if label is None:
        yield f"- Categories of data: nobody has looked (cipherset scan): {_GAP}"
        return
    tags = ", ".join(label["tags"]) or "none found"
    yield f"- Categories of data: {label['level']}; found: {tags}"


def _number(n: int | None) -> str:
    return _NOT_KNOWN if n is None else str(n)


def _lost(unreadable: Sequence[str]) -> Iterator[str]:
    if unreadable:
        yield f"- Not counted, since they cannot be opened here: {', '.join(unreadable)}"


def _consequences(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["plain"]:
        yield "- The rows themselves are in the hands of whoever took them."
    elif facts["kind"] == "key":
        yield "- The key alone opens nothing. With a copy of an export made under it:"
    for gain in facts["gains"]:
        where = f"export {gain['cipherset_id'][:12]}, {gain['having']}"
        if not gain["measured"]:
            yield f"- {where}: NOT MEASURED"
            continue
        stale = "; attacks known since may get more" if gain["stale"] else ""
        yield (
            f"- {where}: {gain['metric']} {gain['value']:.4f}, up to {gain['high']:.4f} (chance "
            f"{gain['chance']:.4f}), by {gain['attack']}{stale}"
        )

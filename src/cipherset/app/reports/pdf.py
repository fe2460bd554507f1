"""A report as a PDF: what the page says, with outline, page numbers and links to the events.

Text from the ledger is data: whatever it holds is printed, and none of it is markup.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import matplotlib as mpl
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate

from cipherset.app.reports.content import Report, Section, Table, linked
from cipherset.app.reports.material import minute
from cipherset.custody.ledger import Event

# Has most of the world's letters, and comes with what draws our plots.
FONT: Final = "DejaVuSans"
BOLD: Final = "DejaVuSans-Bold"
WIDTH: Final = landscape(A4)[0] - 28 * mm - 12  # the frame keeps 6 points on either side
_INK: Final = HexColor("#1c2430")
_LINK: Final = "#0072B2"
_LINE: Final = HexColor("#dde3ea")
_WASH: Final = HexColor("#f4f7fa")
# A table of thousands of lines is laid out in pieces, or its layout grows with their square.
_LINES: Final = 200
_NARROW, _WIDE = 7, 34  # characters


def _style(name: str, size: float, *, bold: bool = False, before: float = 0) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=1.35 * size,
        textColor=_INK,
        spaceBefore=before,
        spaceAfter=3,
        splitLongWords=1,
        keepWithNext=1 if before else 0,
    )


TITLE: Final = _style("title", 18, bold=True)
CHAPTER: Final = _style("chapter", 13, bold=True, before=16)
HEADING: Final = _style("heading", 9.5, bold=True, before=8)
BODY: Final = _style("body", 9)
CELL: Final = _style("cell", 7)
HEAD: Final = _style("head", 7, bold=True)


def pdf(report: Report) -> bytes:
    """The PDF's bytes; the same report gives the same bytes."""
    for name in (FONT, BOLD):
        path = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
        pdfmetrics.registerFont(TTFont(name, str(path)))
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=landscape(A4),
        leftMargin=14 * mm,
        rightMargin=14 * mm,
        topMargin=14 * mm,
        bottomMargin=16 * mm,
        title=_heading(report),
        author="cipherset",
        lang="en",
        invariant=1,
    )
    document.afterFlowable = lambda flowable: _outline(document, flowable)
    document.build(list(_flow(report)), onFirstPage=_footer, onLaterPages=_footer)
    return buffer.getvalue()


def _heading(report: Report) -> str:
    return f"What was done from {minute(report.period.since)} to {minute(report.period.until)} UTC"


def _flow(report: Report) -> Iterator[Any]:
    yield _text(_heading(report), TITLE)
    yield _text(
        f"Computed from the ledger on {minute(report.created)} UTC by {report.actor}. "
        f"{report.n_events:,} events of {report.checkpoint['size']:,} fall into the period; the "
        "chain was verified before this was written. Every line names the events that it comes "
        "from; they are listed at the end, with their hashes.",
        BODY,
    )
    for section in report.sections:
        yield from _section(section)
    yield from _events(report.events)
    yield from _checkpoint(report)


def _section(section: Section) -> Iterator[Any]:
    yield _text(section.title, CHAPTER)
    yield _text(section.says, BODY)
    figures = [
        [_text(each.name), _text(_said(each.value)), _links(each.events)]
        for each in section.figures
    ]
    yield _grid(("figure", "value", "events"), (3, 1, 3), figures)
    for table in section.tables:
        yield _text(table.title, HEADING)
        yield from _table(table)


def _table(table: Table) -> Iterator[Any]:
    if not table.rows:
        yield _text(table.empty, BODY)
        return
    lines = [
        [*(_text(_said(cell)) for cell in row.cells), _links(row.events)] for row in table.shown
    ]
    yield _grid((*table.columns, "events"), (*_widths(table), 16), lines)
    if table.left_off:
        yield _text(f"And {table.left_off:,} more: all are in report.json.", BODY)


def _widths(table: Table) -> list[int]:
    """The room that each column asks for, in characters."""
    columns = zip(table.columns, *(row.cells for row in table.shown), strict=True)
    return [min(max(_NARROW, *(len(str(one)) for one in each)), _WIDE) for each in columns]


def _events(events: Sequence[Event]) -> Iterator[Any]:
    yield _text("Events", CHAPTER)
    names = ("event", "time (UTC)", "by", "act", "on", "outcome", "hash")
    for first in range(0, len(events), _LINES):
        lines = [
            [
                Paragraph(f'<a name="event-{event.seq}"/>{event.seq}', CELL),
                *(
                    _text(each)
                    for each in (
                        event.time[:19].replace("T", " "),
                        event.actor,
                        event.action,
                        event.subject,
                        event.outcome,
                        event.hash,
                    )
                ),
            ]
            for event in events[first : first + _LINES]
        ]
        yield _grid(names, (6, 17, 12, 14, 30, 9, 34), lines)


def _checkpoint(report: Report) -> Iterator[Any]:
    yield _text("Checkpoint", CHAPTER)
    yield _text(
        "The ledger when this was written, signed in checkpoint.json. Kept elsewhere, it shows "
        "later whether an event was changed or taken away. The digests of all files of the report "
        "are signed in signed.json.",
        BODY,
    )
    lines = [[_text(name), _text(str(value))] for name, value in report.checkpoint.items()]
    yield _grid(("checkpoint", "value"), (1, 6), lines)


def _grid(names: Sequence[str], widths: Sequence[int], lines: list[list[Any]]) -> Any:  # noqa: ANN401 -- a flowable
    unit = WIDTH / sum(widths)
    grid = LongTable(
        [[_text(name, HEAD) for name in names], *lines],
        colWidths=[unit * width for width in widths],
        repeatRows=1,
    )
    grid.setStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("BACKGROUND", (0, 0), (-1, 0), _WASH),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
    )
    grid.spaceAfter = 4
    return grid


def _said(value: str | int) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _text(text: str, style: ParagraphStyle = CELL) -> Any:  # noqa: ANN401 -- a flowable
    return Paragraph(escape(text), style)


def _links(events: Sequence[int]) -> Any:  # noqa: ANN401 -- a flowable
    few = linked(events)
    told = [f'<a href="#event-{seq}" color="{_LINK}">{seq}</a>' for seq in few]
    if len(few) < len(events):
        told.insert(len(few) // 2, "…")
        told.append(f"({len(events):,} in all)")
    return Paragraph(" ".join(told), CELL)


def _outline(document: Any, flowable: Any) -> None:  # noqa: ANN401 -- reportlab has no types
    """An entry of the outline for each chapter."""
    if getattr(flowable, "style", None) is not CHAPTER:
        return
    title = flowable.getPlainText()
    document.canv.bookmarkPage(title)
    document.canv.addOutlineEntry(title, title, 0)


def _footer(canvas: Any, document: Any) -> None:  # noqa: ANN401 -- reportlab has no types
    canvas.saveState()
    canvas.setFont(FONT, 7)
    canvas.drawString(14 * mm, 8 * mm, document.title)
    canvas.drawRightString(landscape(A4)[0] - 14 * mm, 8 * mm, f"page {document.page}")
    canvas.restoreState()

"""The page of a scan: every column with its label, its grounds, and masked examples."""

from cipherset.app import page
from cipherset.app.scanning.request import ScanResult


def render(result: ScanResult) -> str:
    """One HTML page without scripts or addresses."""
    return page.render("cipherset.app.scanning", "report.html.j2", {"result": result})

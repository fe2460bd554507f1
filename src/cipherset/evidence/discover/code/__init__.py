"""Where AI is used, read from files: code, configuration, packages, models; nothing is executed."""

from cipherset.evidence.discover.code.found import Found, Kind, NotRead, ReadFault, Report
from cipherset.evidence.discover.code.report import read_report
from cipherset.evidence.discover.code.scan import Limits, scan

__all__ = ["Found", "Kind", "Limits", "NotRead", "ReadFault", "Report", "read_report", "scan"]

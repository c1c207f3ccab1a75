"""Reads bounces, delays, complaints and automatic replies. Mailboxes and the command line enter; nothing is kept."""

from massmail_plugin.feedback.reports.reader import read_report
from massmail_plugin.feedback.reports.report import Lasting, Reason, Report, ReportedRecipient, ReportKind

__all__ = ["Lasting", "Reason", "Report", "ReportKind", "ReportedRecipient", "read_report"]

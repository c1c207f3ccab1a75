"""Files that people bring: onto a list, off it, out of mail or among the suppressions. Admin, CLI and jobs enter."""

from massmail_plugin.audience.imports.keeping import (
    AT_WORK,
    READY,
    bring,
    cancel,
    choose,
    errors_file,
    forget,
    newest,
    sheets,
    start,
    table_of,
)
from massmail_plugin.audience.imports.mapping import ColumnMapping, fillable
from massmail_plugin.audience.imports.working import complete, due, run

__all__ = [
    "AT_WORK",
    "READY",
    "ColumnMapping",
    "bring",
    "cancel",
    "choose",
    "complete",
    "due",
    "errors_file",
    "fillable",
    "forget",
    "newest",
    "run",
    "sheets",
    "start",
    "table_of",
]

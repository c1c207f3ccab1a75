"""What becomes of a report that could not be delivered: it waits, longer each time, with the traceback. Flushes."""

import logging
import traceback
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from massmail_plugin.contracts import Host
from massmail_plugin.models import OutcomeReport
from massmail_plugin.outcomes.tasks import Task
from massmail_plugin.portable_sql import changed, one_of

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(hours=6)
LONGEST_PROBLEM = 4_000


def mark(host: Host, report_ids: Sequence[int], **values: object) -> None:
    """Change reports in one statement."""
    changed(host, update(OutcomeReport).where(one_of(OutcomeReport.id, report_ids)).values(**values))


def postpone(host: Host, task: Task, error: Exception, *, heard: Sequence[str] = ()) -> None:
    """Try it again after a wait that doubles each time; `heard` are the host's functions that did hear of it."""
    words = "".join(traceback.format_exception(error)).replace("\0", "")
    put_off(host, task.report_id, task.attempts, words, heard=[*task.heard, *heard])
    log.warning("Outcome report %s could not be delivered: %s", task.report_id, type(error).__name__)


def put_off(host: Host, report_id: int, attempts: int, problem: str, *, heard: Sequence[str] | None = None) -> None:
    """The same for a report of which only this is known; `attempts` are those before this one."""
    wait = min(timedelta(seconds=15 * 2 ** min(attempts + 1, 12)), LONGEST_WAIT)
    values: dict[str, object] = {"attempts": attempts + 1, "due_at": host.clock() + wait}
    if heard:
        values["heard"] = list(heard)
    mark(host, [report_id], **values, problem=problem[-LONGEST_PROBLEM:])

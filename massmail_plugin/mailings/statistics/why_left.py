"""Why people left through the mails of a mailing, as far as they said so. Screens enter; only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import OptOutReason

MOST_COMMENTS = 50


@dataclass(frozen=True)
class Comment:
    """What somebody wrote beside their reason."""

    reason: str
    words: str
    at: datetime


def why_left(host: Host, mailing_id: int) -> Mapping[str, int]:
    """Reason (an `OptOutWhy`) -> how many gave it, the most frequent first."""
    number = func.count()
    query = select(OptOutReason.reason, number).where(OptOutReason.mailing_id == mailing_id)
    found = host.session.execute(query.group_by(OptOutReason.reason).order_by(number.desc(), OptOutReason.reason))
    return {reason: int(count) for reason, count in found}


def comments(host: Host, mailing_id: int) -> list[Comment]:
    """The newest MOST_COMMENTS."""
    row = OptOutReason
    query = select(row.reason, row.comment, row.at).where(row.mailing_id == mailing_id, row.comment != "")
    return [Comment(*found) for found in host.session.execute(query.order_by(row.id.desc()).limit(MOST_COMMENTS))]

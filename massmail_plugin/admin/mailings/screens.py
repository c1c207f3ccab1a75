"""The list of mailings, and with it the whole section: drafts, launch, runs, uncertain mails, results. Views commit."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select

from massmail_plugin import mailings as runs
from massmail_plugin.admin.frame.paging import SIZE, Page
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.mailings.audience import AudienceScreens
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import Act, MailingKind, MailingState

KINDS = {"tests": MailingKind.TEST, "steps": MailingKind.STEP}


class Mailings(AudienceScreens):
    title = "Mailings"
    slug = "mailings"

    @screen("/", Act.RESULTS_VIEW)
    def index(self) -> ResponseReturnValue:
        state = request.args.get("state", "")
        query = _query(state if state in list(MailingState) else "", [k for k in KINDS if request.args.get(k)])
        page = _newest_first(self.host.session.scalars, query)
        return self.render(
            "massmail/admin/mailings/list.html",
            title="Mailings",
            page=page,
            counted=runs.overview(self.host, [mailing.id for mailing in page.rows]),
            uncertain=sum(number for _, number in runs.open_questions(self.host)),
            states=list(MailingState),
            state=state,
            filtered=bool(state or request.args.get("before")),
        )


def _query(state: str, kinds: list[str]) -> Select[Any]:
    wanted = [MailingKind.ONE_OFF.value, *(KINDS[kind].value for kind in kinds)]
    query = select(Mailing).where(Mailing.kind.in_(wanted))
    return query.where(Mailing.state == state) if state else query


def _newest_first(scalars: Any, query: Select[Any]) -> Page:
    """The mailings before ?before=, by id downwards."""
    before = request.args.get("before", "")
    start = int(before) if before.isdecimal() and len(before) < 10 else 0
    if start:
        query = query.where(Mailing.id < start)
    rows = list(scalars(query.order_by(Mailing.id.desc()).limit(SIZE + 1)))
    kept = {name: value for name, value in request.args.items() if name != "before"}
    more = {**kept, "before": str(rows[SIZE - 1].id)} if len(rows) > SIZE else None
    return Page(rows[:SIZE], kept if start else None, more)

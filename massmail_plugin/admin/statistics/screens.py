"""The screens of statistics over several mailings: by sender, template, list and domain; a template's log; a contact's
record. Views only read.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from massmail_plugin import audience
from massmail_plugin.admin.contacts.panel import record_values
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame.paging import Page
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.mailings.statistics import periods
from massmail_plugin.models import Mailing, Template
from massmail_plugin.vocabulary import Act

USUAL_DAYS = 90
RUNS = 25
SHOWN = 100


class Way(NamedTuple):
    """One way to group mailings: its label, its column, what counts them, and the screen behind a row."""

    label: str
    column: str
    groups: Callable[[Host, periods.Period], list[periods.Group]]
    screen: str = ""
    argument: str = ""
    counted_behind: bool = False
    """Whether its numbers are counted in the background, some time after they happen."""


WAYS: Mapping[str, Way] = {
    "sender": Way("By sender", "Sender", periods.by_sender, "massmail_senders.show", "sender_id"),
    "template": Way("By template", "Template", periods.by_template, "massmail_statistics.template", "template_id"),
    "list": Way("By list", "List", periods.by_list, "massmail_lists.show", "list_id", counted_behind=True),
    "domain": Way("By domain", "Domain", periods.by_domain, counted_behind=True),
}


class Statistics(Section):
    title = "Statistics"
    slug = "statistics"

    @screen("/", Act.RESULTS_VIEW)
    def index(self) -> ResponseReturnValue:
        today = self.host.clock().astimezone(UTC).date()
        since = _day("since") or today - timedelta(days=USUAL_DAYS)
        until = _day("until") or today
        by = request.args.get("by", "mailing")
        span = periods.period(self.host, _start(since), _start(until) + timedelta(days=1))
        return self.render(
            "massmail/admin/statistics/index.html",
            title="Statistics",
            since=since,
            until=until,
            by=by if by in WAYS else "mailing",
            ways=WAYS,
            span=span,
            mailings=self._mailings(span) if by not in WAYS else [],
            groups=WAYS[by].groups(self.host, span) if by in WAYS else [],
            shown=SHOWN,
        )

    def _mailings(self, span: periods.Period) -> list[Mailing]:
        """The newest of them."""
        query = select(Mailing).where(Mailing.id.in_(span.mailing_ids[:SHOWN]))
        return list(self.host.session.scalars(query.order_by(Mailing.launched_at.desc(), Mailing.id.desc())))

    @screen("/templates/<int:template_id>", Act.RESULTS_VIEW)
    def template(self, template_id: int) -> ResponseReturnValue:
        """The log of a template: when it went out, and what came of it."""
        template = self.get(Template, template_id)
        self.require(Act.RESULTS_VIEW, template)
        wanted = request.args.get("before", "")
        before = int(wanted) if wanted.isdecimal() and len(wanted) < 10 else None
        runs = periods.runs_of(self.host, template, before=before, limit=RUNS + 1)
        more = {"before": str(runs[RUNS - 1].mailing.id)} if len(runs) > RUNS else None
        return self.render(
            "massmail/admin/statistics/template.html",
            title=f"{template.name}: log",
            row=template,
            page=Page(runs[:RUNS], {} if before else None, more),
        )

    @screen("/contacts/<source>/<path:key>", Act.PEOPLE_VIEW)
    def record(self, source: str, key: str) -> ResponseReturnValue:
        """Everything of one contact, on a page of its own."""
        contact = ContactRef(source, key)
        if source not in self.host.sources:
            raise NotFound
        self.require(Act.PEOPLE_VIEW, contact)
        found = audience.summaries(self.host, [contact]).get(contact)
        if found is None and audience.limited(self.host):
            raise NotFound
        wanted = request.args.get("before", "")
        before = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None
        return self.render(
            "massmail/admin/statistics/record.html",
            title=found.name if found and found.name else f"Contact {key}",
            gone=found is None,
            contact_url=page_of(self.host, contact),
            before=before,
            **record_values(self.host, contact, before=before),
        )


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

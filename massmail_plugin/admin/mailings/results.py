"""The screens of a mailing's results: clicks on the mail itself, domains and lists, downloads, comparison, one mail.

Views only read.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from massmail_plugin import audience, mailings
from massmail_plugin.admin.contacts.search import page_of
from massmail_plugin.admin.frame.paging import Page
from massmail_plugin.admin.frame.section import LARGEST_KEY, screen
from massmail_plugin.admin.mailings.runs import PEOPLE
from massmail_plugin.admin.mailings.uncertain import UncertainScreens
from massmail_plugin.admin.templates.mail_frame import framed
from massmail_plugin.audience.exporting import csv_lines
from massmail_plugin.audience.table_files.xlsx_writing import xlsx_parts
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest, MassMailError
from massmail_plugin.mailings.as_sent import SentMail, as_received
from massmail_plugin.mailings.hits import MOST_HITS, hits
from massmail_plugin.mailings.statistics import breakdown, export, link_map, links, why_left
from massmail_plugin.models import Link, Mailing, OutboxMessage
from massmail_plugin.vocabulary import Act, MailingKind, MessageState

FORMS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHEETS = {
    "recipients": (
        "Recipients",
        "Everybody, with what became of the mail and when it was read, clicked, answered.",
    ),
    "events": ("Events", "Every open, click, bounce and answer with its time; those of programs with the reason."),
    "links": ("Links", "Each link with its clicks."),
    "hours": ("Hours", "The first 48 hours, hour by hour."),
    "domains": ("Domains", "Every recipient domain with its numbers."),
}
MOST_COMPARED = 6


class ResultScreens(UncertainScreens):
    """What came of a mailing."""

    @screen("/<int:mailing_id>/map", Act.RESULTS_VIEW)
    def link_map(self, mailing_id: int) -> ResponseReturnValue:
        mailing, unique = self.readable(mailing_id), request.args.get("count") != "all"
        found = links.link_counts(self.host, mailing.id)
        shown, more = self._somebody(mailing)
        made, problem = None, ""
        try:
            made = self._with_numbers(mailing, shown, link_map.numbers(found, unique=unique))
        except MassMailError as error:
            problem = str(error)
        return self.render(
            "massmail/admin/mailings/link_map.html",
            title=f"{mailing.name}: clicks on the mail",
            mailing=mailing,
            shown=shown if self.allowed(Act.PEOPLE_VIEW, mailing) else None,
            after=_number(request.args.get("after", "")),
            following=shown.message.id if shown and more else None,
            unique=unique,
            frame=framed(made.html, self.nonce()) if made and made.html else "",
            problem=problem,
        )

    def _somebody(self, mailing: Mailing) -> tuple[mailings.Person | None, bool]:
        """The recipient after ?after= whose mail carries the numbers, and whether there is another."""
        start = _number(request.args.get("after", ""))
        for which in (mailings.Which.SENT, mailings.Which.WAITING):
            if found := mailings.people(self.host, mailing, which, after_id=start, limit=2):
                return found[0], len(found) > 1
        return None, False

    def _with_numbers(self, mailing: Mailing, shown: mailings.Person | None, numbers: dict[int, int]) -> SentMail:
        if shown is None:
            raise BadRequest("Nobody got this mail, so there is none to show.")
        return link_map.link_map(self.host, mailing, shown.message, numbers)

    @screen("/<int:mailing_id>/breakdown", Act.RESULTS_VIEW)
    def breakdown(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.readable(mailing_id)
        return self.render(
            "massmail/admin/mailings/breakdown.html",
            title=f"{mailing.name}: domains and lists",
            mailing=mailing,
            whole=breakdown.whole(self.host, mailing.id),
            domains=breakdown.by_domain(self.host, mailing.id),
            number_of_domains=breakdown.domains(self.host, mailing.id),
            lists=breakdown.by_list(self.host, mailing.id),
            skipped=breakdown.reasons(self.host, mailing.id, MessageState.SKIPPED.value),
            failed=breakdown.reasons(self.host, mailing.id, MessageState.REFUSED.value),
            uncounted=breakdown.uncounted(self.host, mailing.id),
            left=why_left.why_left(self.host, mailing.id),
            comments=why_left.comments(self.host, mailing.id) if self.allowed(Act.PEOPLE_VIEW, mailing) else [],
        )

    @screen("/<int:mailing_id>/links/<int:link_id>", Act.PEOPLE_VIEW)
    def clickers(self, mailing_id: int, link_id: int) -> ResponseReturnValue:
        mailing, link = self.get(Mailing, mailing_id), self.get(Link, link_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        if link.mailing_id != mailing.id:
            raise NotFound
        start = _number(request.args.get("after", ""))
        rows = links.clickers(self.host, link, after=start, limit=PEOPLE + 1)
        more = {"after": str(rows[PEOPLE - 1].place)} if len(rows) > PEOPLE else None
        return self.render(
            "massmail/admin/mailings/clickers.html",
            title=f"{mailing.name}: {link.label or link.target}",
            mailing=mailing,
            of_link=link,
            page=Page(rows[:PEOPLE], {} if start else None, more),
            contact_url=lambda contact: page_of(self.host, contact),
        )

    # --- downloads ---

    @screen("/<int:mailing_id>/download", Act.RESULTS_VIEW)
    def download(self, mailing_id: int) -> ResponseReturnValue:
        mailing = self.readable(mailing_id)
        sheets = [(name, *SHEETS[name]) for name, sheet in export.SHEETS.items() if self._may_have(sheet, mailing)]
        title = f"{mailing.name}: download"
        return self.render("massmail/admin/mailings/download.html", title=title, mailing=mailing, sheets=sheets)

    @screen("/<int:mailing_id>/download/<sheet>.<form>", Act.RESULTS_VIEW)
    def file(self, mailing_id: int, sheet: str, form: str) -> ResponseReturnValue:
        mailing = self.readable(mailing_id)
        wanted = export.SHEETS.get(sheet)
        if wanted is None or form not in FORMS:
            raise NotFound
        if wanted.people:
            self.require(Act.PEOPLE_VIEW, mailing)
        rows = wanted.rows(self.host, mailing)
        body = xlsx_parts(wanted.header, rows) if form == "xlsx" else _csv(wanted.header, rows)
        head = {"Content-Disposition": f'attachment; filename="mailing-{mailing.id}-{sheet}.{form}"'}
        return Response(stream_with_context(body), mimetype=FORMS[form], headers=head)

    def _may_have(self, sheet: export.Sheet, mailing: Mailing) -> bool:
        return not sheet.people or self.allowed(Act.PEOPLE_VIEW, mailing)

    # --- several mailings, and one person's mail ---

    @screen("/compare", Act.RESULTS_VIEW)
    def compare(self) -> ResponseReturnValue:
        """The mailings of ?mailing=, in the order they were launched."""
        wanted = {int(one) for one in request.args.getlist("mailing") if one.isdecimal() and int(one) <= LARGEST_KEY}
        query = select(Mailing).where(Mailing.id.in_(sorted(wanted)[:MOST_COMPARED]), Mailing.launched_at.is_not(None))
        chosen = list(self.host.session.scalars(query.order_by(Mailing.launched_at, Mailing.id)))
        others = (
            select(Mailing)
            .where(Mailing.kind == MailingKind.ONE_OFF.value, Mailing.launched_at.is_not(None))
            .order_by(Mailing.id.desc())
            .limit(PEOPLE)
        )
        offered = dict.fromkeys([*chosen, *self.host.session.scalars(others)])
        return self.render(
            "massmail/admin/mailings/compare.html",
            title="Compare mailings",
            chosen=chosen,
            offered=list(offered),
            numbers=mailings.overview(self.host, [mailing.id for mailing in chosen]),
            most=MOST_COMPARED,
            too_many=len(wanted) > MOST_COMPARED,
        )

    @screen("/received/<int:message_id>", Act.PEOPLE_VIEW)
    def received(self, message_id: int) -> ResponseReturnValue:
        """What one person received."""
        message = self.host.session.get(OutboxMessage, message_id) if message_id < 2**63 else None
        if message is None:
            raise NotFound
        mailing = self.get(Mailing, message.mailing_id)
        self.require(Act.PEOPLE_VIEW, mailing)
        contact = ContactRef(message.contact_source, message.contact_key)
        if audience.limited(self.host) and not audience.exists(self.host, contact):
            raise NotFound
        made, problem = None, ""
        try:
            made = as_received(self.host, message)
        except MassMailError as error:
            problem = str(error)
        return self.render(
            "massmail/admin/mailings/received.html",
            title=mailing.name,
            mailing=mailing,
            message=message,
            mail=made,
            frame=framed(made.html, self.nonce()) if made and made.html else "",
            problem=problem,
            hits=hits(self.host, message.id),
            most_hits=MOST_HITS,
            back=page_of(self.host, contact) or url_for("massmail_statistics.record", **_named(contact)),
        )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _named(contact: ContactRef) -> dict[str, Any]:
    return {"source": contact.source, "key": contact.key}


def _csv(header: Any, rows: Iterator[Any]) -> Iterator[bytes]:
    return (line.encode() for line in csv_lines(header, map(_plain, rows)))


def _plain(row: Any) -> list[Any]:
    """Times as ISO 8601 in UTC."""
    return [cell.isoformat() if hasattr(cell, "isoformat") else cell for cell in row]

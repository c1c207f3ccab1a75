"""The people of a list on screen: who is on it, who left, whom its criterion finds, every change, and a download.

Only reads. What is done to one person is in `person.py`.
"""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from massmail_plugin import audience
from massmail_plugin.admin.contacts.search import named, page_of, refs_of
from massmail_plugin.admin.frame.downloads import download
from massmail_plugin.admin.frame.paging import after_key, by_time
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import WAYS
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.audience.exporting import list_export
from massmail_plugin.consent.subscriptions.tallies import list_counts
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import RuleError, TooSlow
from massmail_plugin.models import List, Subscription, SubscriptionEvent
from massmail_plugin.vocabulary import Act, SubscriptionState


class ListPeople(Section):
    """Part of the section Lists."""

    @screen("/<int:list_id>", Act.LIST_MANAGE)
    def show(self, list_id: int) -> str:
        list_, wanted = self.list_(list_id), self.wanted()
        state = request.args.get("state", "")
        state = state if state in set(SubscriptionState) else SubscriptionState.SUBSCRIBED.value
        return self.render(
            "massmail/admin/lists/show.html",
            title=list_.name,
            list_=list_,
            counts=list_counts(self.host, [list_.id])[list_.id],
            state=state,
            text=wanted,
            keeps_status=self.host.statuses.target != "contact",
            mailings=list_rows.mailings(self.host, list_),
            campaigns=list_rows.campaigns(self.host, list_),
            **self._members(list_, wanted, state),
        )

    @screen("/<int:list_id>/found", Act.LIST_MANAGE)
    def found(self, list_id: int) -> ResponseReturnValue:
        """Whom the list's criterion finds: how many, and some of them."""
        list_ = self.list_(list_id)
        criterion = list_.criterion
        if criterion is None:
            return self.refused(f"“{list_.name}” is not kept by a criterion.", "massmail_lists.show", list_id=list_.id)
        source, problem, number, people = self.host.source(criterion.contact_source), "", 0, []
        try:
            words = audience.sentence(self.host, source, criterion.rule)
            number = audience.count(self.host, source, criterion.rule)
            people = audience.sample(self.host, source, criterion.rule) if self.allowed(Act.PEOPLE_VIEW) else []
        except (RuleError, TooSlow) as error:
            words, problem = "", str(error)
        return self.render(
            "massmail/admin/lists/found.html",
            title=list_.name,
            list_=list_,
            counts=list_counts(self.host, [list_.id])[list_.id],
            criterion=criterion,
            words=words,
            number=number,
            problem=problem,
            found=people,
            standing=list_rows.standing_of(self.host, list_, [one.ref for one in people]),
        )

    @screen("/<int:list_id>/history", Act.PEOPLE_VIEW)
    def history(self, list_id: int) -> str:
        list_ = self.list_(list_id)
        page = after_key(
            self.host.session, list_rows.history(self.host, list_), SubscriptionEvent.id, size=50, newest=True
        )
        return self.render(
            "massmail/admin/lists/history.html",
            title="History",
            list_=list_,
            page=page,
            ways=WAYS,
            **self.people_of(page.rows),
        )

    @screen("/<int:list_id>/export", Act.PEOPLE_VIEW)
    def export(self, list_id: int) -> ResponseReturnValue:
        """The whole list as ?form=csv or xlsx."""
        export = list_export(self.host, self.list_(list_id))
        return download(f"list-{list_id}", request.args.get("form", "csv"), export)

    def _members(self, list_: List, wanted: str, state: str) -> dict[str, Any]:
        if not self.allowed(Act.PEOPLE_VIEW):
            return {"page": None}
        found = list_rows.members(self.host, list_, wanted, state)
        page = by_time(self.host.session, found, Subscription.since, Subscription.id)
        return {"page": page, **self.people_of(page.rows)}

    def people_of(self, rows: Any) -> dict[str, Any]:
        """Names for rows that speak of contacts."""
        known = named(self.host, refs_of(rows))
        return {"known": known, "ref": ContactRef, "page_of": lambda ref: page_of(self.host, ref)}

    def wanted(self) -> str:
        """What is searched for."""
        return request.args.get("q", "").strip()[:100]

    def list_(self, list_id: int) -> List:
        """The list, for those who may manage it."""
        list_ = self.get(List, list_id)
        self.require(Act.LIST_MANAGE, list_)
        return list_

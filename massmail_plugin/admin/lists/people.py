"""The people of a list on screen: members, history, adding one who was found, taking one off. Commits."""

from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin.admin.contacts.search import found, named, page_of, posted, refs_of
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.paging import after_key, numbered
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.audience.exporting import list_lines
from massmail_plugin.consent.preferences import opted_out_of_everything
from massmail_plugin.consent.subscriptions import subscribe, unsubscribe
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List, Subscription
from massmail_plugin.vocabulary import Act, SubscriptionState


class ListPeople(Section):
    """Part of the section Lists."""

    @screen("/<int:list_id>", Act.LIST_MANAGE)
    def show(self, list_id: int) -> str:
        list_, wanted = self._list(list_id), self._wanted()
        state = request.args.get("state", "")
        state = state if state in set(SubscriptionState) else SubscriptionState.SUBSCRIBED.value
        return self.render(
            "massmail/admin/lists/show.html",
            title=list_.name,
            list_=list_,
            counts=list_rows.standing_counts(self.host, list_),
            state=state,
            text=wanted,
            keeps_status=self.host.statuses.target != "contact",
            mailings=list_rows.mailings(self.host, list_),
            campaigns=list_rows.campaigns(self.host, list_),
            **self._members(list_, wanted, state),
        )

    @screen("/<int:list_id>/history", Act.PEOPLE_VIEW)
    def history(self, list_id: int) -> str:
        list_ = self._list(list_id)
        page = numbered(self.host.session, list_rows.history(list_), size=50)
        return self.render(
            "massmail/admin/lists/history.html", title="History", list_=list_, page=page, **self._people(page.rows)
        )

    @screen("/<int:list_id>/export", Act.PEOPLE_VIEW)
    def export(self, list_id: int) -> ResponseReturnValue:
        lines = list_lines(self.host, self._list(list_id))
        head = {"Content-Disposition": f'attachment; filename="list-{list_id}.csv"'}
        return Response(stream_with_context(line.encode() for line in lines), mimetype="text/csv", headers=head)

    @screen("/<int:list_id>/add", Act.LIST_MANAGE, ("GET", "POST"))
    def add(self, list_id: int) -> ResponseReturnValue:
        list_, wanted = self._list(list_id), self._wanted()
        self.require(Act.PEOPLE_VIEW)
        if request.method == "POST":
            return self._added(list_, wanted)
        people = found(self.host, wanted)
        return self.render(
            "massmail/admin/lists/add.html",
            title="Add a contact",
            list_=list_,
            text=wanted,
            found=people,
            standing=list_rows.standing_of(self.host, list_, [one.ref for one in people]),
        )

    @screen("/<int:list_id>/unsubscribe/<int:subscription_id>", Act.LIST_MANAGE, ("GET", "POST"))
    def take_off(self, list_id: int, subscription_id: int) -> ResponseReturnValue:
        list_, row = self._list(list_id), self.get(Subscription, subscription_id)
        self.require(Act.PEOPLE_VIEW)
        if row.list_id != list_.id:
            raise NotFound
        contact = ContactRef(row.contact_source, row.contact_key)
        one = named(self.host, [contact]).get(contact)
        name = one.name if one else f"contact {contact.key}"
        if request.method == "POST":
            unsubscribe(self.host, list_, [contact], evidence=f"Unsubscribed by {guard.user_name()}")
            self.commit()
            return self.done(f"{name} was taken off the list.", "massmail_lists.show", list_id=list_.id)
        return self.confirm(
            title=f"Take {name} off “{list_.name}”?",
            words="They get no more mail through this list. Imports do not put them back. You can, if they ask.",
            button="Unsubscribe",
            back=url_for("massmail_lists.show", list_id=list_.id),
        )

    def _added(self, list_: List, wanted: str) -> ResponseReturnValue:
        contact, again = posted(self.host, request.form), request.form.get("again") == "1"
        back: dict[str, Any] = {"endpoint": "massmail_lists.add", "list_id": list_.id, "q": wanted}
        if contact is None:
            return self.refused("This contact is no longer there.", **back)
        name = named(self.host, [contact])[contact].name
        if opted_out_of_everything(self.host, contact):
            return self.refused(
                f"{name} opted out of every mailing. If they want mail again, release that under Suppressions first.",
                **back,
            )
        said = f"Wants mail again, entered by {guard.user_name()}" if again else f"Added by {guard.user_name()}"
        counts = subscribe(self.host, list_, [contact], evidence=said, again=again)
        self.commit()
        if counts.kept_out:
            return self.refused(f"{name} left this list meanwhile and stays off it.", **back)
        return self.done(f"{name} is on the list.", **back)

    def _members(self, list_: List, wanted: str, state: str) -> dict[str, Any]:
        if not self.allowed(Act.PEOPLE_VIEW):
            return {"page": None}
        page = after_key(self.host.session, list_rows.members(self.host, list_, wanted, state), Subscription.id)
        return {"page": page, **self._people(page.rows)}

    def _people(self, rows: Any) -> dict[str, Any]:
        known = named(self.host, refs_of(rows))
        return {"known": known, "ref": ContactRef, "page_of": lambda ref: page_of(self.host, ref)}

    def _wanted(self) -> str:
        return request.args.get("q", "").strip()[:100]

    def _list(self, list_id: int) -> List:
        list_ = self.get(List, list_id)
        self.require(Act.LIST_MANAGE, list_)
        return list_

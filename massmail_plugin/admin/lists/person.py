"""One person and a list on screen: put on it, taken off, come back, and how all that came about. Commits."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin.admin.contacts.search import found, named, posted
from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, filled, text
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.frame.wording import WAYS
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.admin.lists.people import ListPeople
from massmail_plugin.audience.contacts.visibility import limited
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.history import changes_of
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.consent.wishes.preferences import opted_out_of_everything
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List
from massmail_plugin.vocabulary import Act, ConsentWay


class WishForm(ScreenForm):
    """How we know that somebody wants mail again."""

    evidence = text(
        "How do you know that they want it again?",
        required="Say how you know, for example: called on 3 May.",
        help="It is kept in the history of the list.",
    )


class ListPerson(ListPeople):
    """Part of the section Lists. A person is named by ?contact_source= and ?contact_key=."""

    @screen("/<int:list_id>/add", Act.LIST_MANAGE, ("GET", "POST"))
    def add(self, list_id: int) -> ResponseReturnValue:
        list_, wanted = self.list_(list_id), self.wanted()
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

    @screen("/<int:list_id>/person", Act.PEOPLE_VIEW)
    def person(self, list_id: int) -> str:
        """Where one contact stands on the list, and how that came."""
        list_ = self.list_(list_id)
        contact, name = self._person()
        return self.render(
            "massmail/admin/lists/person.html",
            title=name,
            list_=list_,
            contact=contact,
            state=list_rows.standing_of(self.host, list_, [contact]).get(contact, ""),
            changes=changes_of(self.host, contact, list_id=list_.id),
            out=opted_out_of_everything(self.host, contact),
            ways=WAYS,
        )

    @screen("/<int:list_id>/person/unsubscribe", Act.LIST_MANAGE, ("GET", "POST"))
    def take_off(self, list_id: int) -> ResponseReturnValue:
        list_ = self.list_(list_id)
        self.require(Act.PEOPLE_VIEW)
        contact, name = self._person()
        if request.method == "POST":
            unsubscribe(self.host, list_, [contact], proof=by_hand("Unsubscribed"))
            self.commit()
            return self.done(f"{name} was taken off the list.", "massmail_lists.show", list_id=list_.id)
        return self.confirm(
            title=f"Take {name} off “{list_.name}”?",
            words="They get no more mail through this list. Imports do not put them back. You can, if they ask.",
            button="Unsubscribe",
            back=url_for("massmail_lists.show", list_id=list_.id),
        )

    @screen("/<int:list_id>/person/subscribe-again", Act.LIST_MANAGE, ("GET", "POST"))
    def bring_on(self, list_id: int) -> ResponseReturnValue:
        """Somebody who had left asks to come back: with the reason why we believe so."""
        list_ = self.list_(list_id)
        self.require(Act.PEOPLE_VIEW)
        contact, name = self._person()
        form = filled(WishForm)
        out = opted_out_of_everything(self.host, contact)
        if request.method == "POST" and not out and form.validate():
            subscribe(self.host, list_, [contact], proof=by_hand(form.evidence.data, entered=True), again=True)
            self.commit()
            return self.done(f"{name} is on the list again.", "massmail_lists.show", list_id=list_.id)
        values: dict[str, Any] = {"list_": list_, "contact": contact, "form": form, "out": out, "name": name}
        page = self.render("massmail/admin/lists/come_back.html", title=f"{name} wants mail again", **values)
        return page, 422 if form.wrong else 200

    def _added(self, list_: List, wanted: str) -> ResponseReturnValue:
        contact = posted(self.host, request.form)
        back: dict[str, Any] = {"endpoint": "massmail_lists.add", "list_id": list_.id, "q": wanted}
        if contact is None:
            return self.refused("This contact is no longer there.", **back)
        name = named(self.host, [contact])[contact].name
        if opted_out_of_everything(self.host, contact):
            return self.refused(
                f"{name} opted out of every mailing. If they want mail again, release that under Suppressions first.",
                **back,
            )
        counts = subscribe(self.host, list_, [contact], proof=by_hand("Added"))
        self.commit()
        if counts.kept_out:
            return self.refused(f"{name} left this list and stays off it, unless they ask to come back.", **back)
        return self.done(f"{name} is on the list.", **back)

    def _person(self) -> tuple[ContactRef, str]:
        """Who the address names, with a name to show; also somebody the host has no more, if we know of them.

        Where a user sees only some of the contacts, nothing is said of the others, gone or not.
        """
        contact = ContactRef(request.args.get("contact_source", "")[:64], request.args.get("contact_key", "")[:64])
        one = named(self.host, [contact]).get(contact)
        if one is None and (limited(self.host) or not changes_of(self.host, contact, limit=1)):
            raise NotFound
        return contact, one.name if one else f"Contact {contact.key}"


def by_hand(what: str, *, entered: bool = False) -> Proof:
    """Done by the user at the screen, to one contact; with `entered`, `what` are the user's own words."""
    user = guard.user_name()
    return Proof(ConsentWay.PERSON, evidence=f"{what}{', entered' if entered else ''} by {user}", by=user)

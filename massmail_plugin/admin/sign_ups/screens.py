"""The screens of sign-ups: those of each list by state, asking once more, the form for web sites. Commits."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from massmail_plugin import sign_ups
from massmail_plugin.admin.contacts.search import named, page_of
from massmail_plugin.admin.frame.downloads import download
from massmail_plugin.admin.frame.paging import after_key, sliced
from massmail_plugin.admin.frame.section import LARGEST_KEY, Section, screen
from massmail_plugin.admin.sign_ups import rows as sign_up_rows
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import ConsentText, List, SignUp
from massmail_plugin.sign_ups.exporting import sign_up_export
from massmail_plugin.sign_ups.form import source_of_visitors
from massmail_plugin.sign_ups.snippet import snippet
from massmail_plugin.signed_links.sign_up_links import sign_up_url
from massmail_plugin.translations import languages, words_in
from massmail_plugin.vocabulary import Act, SignUpState


class SignUps(Section):
    title = "Sign-ups"
    slug = "sign-ups"

    @screen("/", Act.LIST_MANAGE)
    def index(self) -> str:
        """Lists that this user may not manage are not shown."""
        found = self.host.session.scalars(sign_up_rows.lists())
        page = sliced([row for row in found if self.allowed(Act.LIST_MANAGE, row)])
        counts = sign_up_rows.counts(self.host, [row.id for row in page.rows])
        values = {"page": page, "counts": counts, "most": sign_up_rows.COUNTED}
        return self.render("massmail/admin/sign_ups/index.html", title="Sign-ups", **values)

    @screen("/<int:list_id>", Act.PEOPLE_VIEW)
    def show(self, list_id: int) -> str:
        list_, text = self._list(list_id), request.args.get("q", "").strip()[:254]
        state = request.args.get("state", "")
        state = state if state in set(SignUpState) else SignUpState.WAITING.value
        query = sign_up_rows.of_list(self.host, list_.id, state, text)
        page = after_key(self.host.session, query, SignUp.id, newest=True)
        return self.render(
            "massmail/admin/sign_ups/show.html",
            title=f"Sign-ups for {list_.name}",
            list_=list_,
            page=page,
            counts=sign_up_rows.counts(self.host, [list_.id])[list_.id],
            most=sign_up_rows.COUNTED,
            state=state,
            text=text,
            known=named(self.host, sign_up_rows.contacts(list(page.rows))),
            ref=ContactRef,
            page_of=lambda ref: page_of(self.host, ref),
        )

    @screen("/<int:list_id>/<int:sign_up_id>", Act.PEOPLE_VIEW)
    def one(self, list_id: int, sign_up_id: int) -> str:
        list_, row = self._list(list_id), self._sign_up(list_id, sign_up_id)
        contact = next(iter(sign_up_rows.contacts([row])), None)
        return self.render(
            "massmail/admin/sign_ups/one.html",
            title=row.address,
            list_=list_,
            row=row,
            words=self.host.session.get(ConsentText, row.consent_text_id) if row.consent_text_id else None,
            contact=contact,
            known=named(self.host, [contact] if contact else []),
            page_of=lambda ref: page_of(self.host, ref),
            makes=self.host.hooks.create_contact is not None,
            labels={one.name: one.label_in("en") for one in source_of_visitors(self.host).sign_up},
        )

    @screen("/<int:list_id>/<int:sign_up_id>/ask", Act.LIST_MANAGE, ("GET", "POST"))
    def ask(self, list_id: int, sign_up_id: int) -> ResponseReturnValue:
        list_, row = self._list(list_id), self._sign_up(list_id, sign_up_id)
        self.require(Act.PEOPLE_VIEW)
        if request.method == "POST":
            sign_ups.ask_again(self.host, row)
            self.commit()
            return self.done(f"{row.address} is asked once more.", "massmail_sign-ups.show", list_id=list_.id)
        return self.confirm(
            title=f"Ask {row.address} once more?",
            words=f"They get the mail with the link once more. They were asked {_times(row.times_asked)} so far.",
            button="Ask",
            back=url_for("massmail_sign-ups.show", list_id=list_.id),
        )

    @screen("/<int:list_id>/<int:sign_up_id>/delete", Act.LIST_MANAGE, ("GET", "POST"))
    def delete(self, list_id: int, sign_up_id: int) -> ResponseReturnValue:
        list_, row = self._list(list_id), self._sign_up(list_id, sign_up_id)
        self.require(Act.PEOPLE_VIEW)
        proves = row.state == SignUpState.CONFIRMED
        if request.method == "POST" and not proves:
            self.host.session.delete(row)
            self.commit()
            return self.done("The sign-up was deleted.", "massmail_sign-ups.show", list_id=list_.id)
        words = "It is not confirmed. Its link stops working."
        if proves:
            words = "It proves that they agreed, so it stays for as long as such proofs are kept."
        return self.confirm(
            title=f"Delete the sign-up of {row.address}?",
            words=words,
            button="Delete",
            back=url_for("massmail_sign-ups.show", list_id=list_.id, state=row.state),
            danger=True,
            possible=not proves,
        )

    @screen("/<int:list_id>/form", Act.LIST_MANAGE)
    def form(self, list_id: int) -> str:
        list_ = self._list(list_id)
        offered = languages(self.host.config)
        chosen = request.args.get("lang", "")
        words = words_in([chosen if chosen in offered else offered[0]], self.host.config)
        organisation = self.host.config.organisation or self.host.config.domain
        return self.render(
            "massmail/admin/sign_ups/form.html",
            title=f"Form for {list_.name}",
            list_=list_,
            url=sign_up_url(self.host.config, list_.id),
            languages=[(name, words_in([name], self.host.config)("English")) for name in offered],
            chosen=words.language,
            shown=sign_ups.list_form(self.host, list_, words, organisation=organisation),
            snippet=snippet(self.host, list_, language=words.language),
            sender=sign_ups.sender_for(self.host, list_),
            makes=self.host.hooks.create_contact is not None,
        )

    @screen("/<int:list_id>/export", Act.PEOPLE_VIEW)
    def export(self, list_id: int) -> ResponseReturnValue:
        list_ = self._list(list_id)
        return download(f"sign-ups-{list_.id}", request.args.get("form", "csv"), sign_up_export(self.host, list_.id))

    def _list(self, list_id: int) -> List:
        list_ = self.get(List, list_id)
        self.require(Act.LIST_MANAGE, list_)
        return list_

    def _sign_up(self, list_id: int, sign_up_id: int) -> SignUp:
        row: SignUp | None = self.host.session.scalar(
            sign_up_rows.one(self.host, list_id, min(sign_up_id, LARGEST_KEY))
        )
        if row is None:
            raise NotFound
        return row


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")

"""The screens of senders: list, form, test with its stages, signing keys, delete. Commits; the test does it itself."""

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.admin.senders import keys
from massmail_plugin.admin.senders.forms import (
    AUTHS,
    FIELD_OF,
    NOT_KEPT,
    SECURITIES,
    SenderForm,
    draft_of,
    sender_form,
)
from massmail_plugin.admin.senders.today import coming_days, ramp_words, todays
from massmail_plugin.consent import addresses
from massmail_plugin.errors import BadRequest, SecretUnreadable
from massmail_plugin.models import Sender
from massmail_plugin.sending import senders
from massmail_plugin.sending.limits import limits_in_words, pace
from massmail_plugin.vocabulary import Act

STAGES = {
    "resolve": "Find the server",
    "connect": "Connect",
    "greeting": "Server's greeting",
    "tls": "Encrypt the connection",
    "login": "Log in",
    "mail": "From address accepted",
    "rcpt": "Recipient accepted",
    "data": "Message accepted",
}
REMEMBERED = "massmail_test_address"
SHOW = "massmail_senders.show"
FIRST_DAY = 50


class Senders(Section):
    title = "Senders"
    slug = "senders"

    @screen("/", Act.SENDER_MANAGE)
    def index(self) -> str:
        rows = self.host.session.scalars(select(Sender).order_by(Sender.name)).all()
        return self.render("massmail/admin/senders/list.html", title="Senders", senders=rows, standing=standing)

    @screen("/new", Act.SENDER_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:sender_id>", Act.SENDER_MANAGE)
    def show(self, sender_id: int) -> str:
        sender = self.get(Sender, sender_id)
        book = pace.read(self.host, sender_id)
        return self.render(
            "massmail/admin/senders/show.html",
            title=sender.name,
            sender=sender,
            standing=standing,
            stages=STAGES,
            securities=dict(SECURITIES),
            auths=dict(AUTHS),
            remembered=session.get(REMEMBERED, ""),
            limits=limits_in_words(book.limits, book.now.date()),
            spill_to=self.host.session.get(Sender, sender.spill_to_id) if sender.spill_to_id else None,
            today=todays(book),
            coming_days=coming_days(book.limits, book.now.date()),
            aligned=aligned(sender),
            events_by=reader.label if (reader := self.host.event_readers.get(sender.events_by)) else sender.events_by,
            **self._signature(sender),
        )

    def _signature(self, sender: Sender) -> dict[str, object]:
        try:
            return {"records": senders.published(sender), "unreadable": ""}
        except (BadRequest, SecretUnreadable) as error:
            return {"records": [], "unreadable": str(error)}

    @screen("/<int:sender_id>/edit", Act.SENDER_MANAGE, ("GET", "POST"))
    def edit(self, sender_id: int) -> ResponseReturnValue:
        return self._edited(self._managed(sender_id))

    @screen("/<int:sender_id>/test", Act.SENDER_MANAGE, ("POST",))
    def test(self, sender_id: int) -> ResponseReturnValue:
        sender = self._managed(sender_id)
        to = request.form.get("to", "").strip()
        if to and (fault := addresses.fault(to)):
            return self.refused(f"The test was not started. {fault}", SHOW, sender_id=sender_id)
        session[REMEMBERED] = to
        stages = senders.try_out(self.host, sender, to, by=guard.user_name())
        if all(stage.ok for stage in stages):
            went_to = senders.trial_recipient(self.host, to)
            flash(f"The test passed. A mail is on its way to {went_to}." if went_to else "The test passed.", "success")
        else:
            flash("The test failed. The first step marked below says why.", "error")
        return redirect(url_for(SHOW, sender_id=sender_id, _anchor="test"))

    @screen("/<int:sender_id>/keys", Act.SENDER_MANAGE, ("GET", "POST"))
    def keys(self, sender_id: int) -> ResponseReturnValue:
        sender = self._managed(sender_id)
        domain = request.form.get("domain", sender.dkim_domain or sender.from_address.rpartition("@")[2])
        made, error = None, ""
        try:
            if "sealed" in request.form:
                senders.use_keys(self.host, sender, keys.opened(self.host, request.form["sealed"]))
                self.commit()
                return self.done("Mails are signed with the new keys from now on.", SHOW, sender_id=sender_id)
            if request.method == "POST":
                made = senders.make_keys(self.host, domain)
        except BadRequest as refused:
            error = str(refused)
        page = self.render(
            "massmail/admin/senders/keys.html",
            title="Signing keys",
            sender=sender,
            domain=domain,
            error=error,
            records=made.records() if made else [],
            sealed=keys.sealed(self.host, made) if made else "",
        )
        return page, 422 if error else 200

    @screen("/<int:sender_id>/delete", Act.SENDER_MANAGE, ("GET", "POST"))
    def delete(self, sender_id: int) -> ResponseReturnValue:
        sender = self._managed(sender_id)
        if request.method == "POST":
            senders.delete(self.host, sender)
            self.commit()
            return self.done(f"The sender “{sender.name}” was deleted.", "massmail_senders.index")
        users = senders.used_by(self.host, sender)
        needed = (
            ["It cannot be deleted, because it is used by:", *users]
            if users
            else "Its password and its keys are deleted with it."
        )
        return self.confirm(
            title=f"Delete the sender “{sender.name}”?",
            words=needed,
            button="Delete sender",
            back=url_for(SHOW, sender_id=sender_id),
            danger=True,
            possible=not users,
        )

    def _managed(self, sender_id: int) -> Sender:
        sender = self.get(Sender, sender_id)
        self.require(Act.SENDER_MANAGE, sender)
        return sender

    def _edited(self, sender: Sender | None) -> ResponseReturnValue:
        form = sender_form(sender)
        form.provider.choices = [(name, provider.label) for name, provider in self.host.providers.items()]
        form.spill_to_id.choices = self._others(sender)
        readers = sorted(self.host.event_readers.values(), key=lambda one: one.label)
        form.events_by.choices = [("", "None, or another one"), *((one.name, one.label) for one in readers)]
        if request.method == "POST" and (saved := self._saved(sender, form)):
            return self.done(f"The sender “{saved.name}” was saved.", SHOW, sender_id=saved.id)
        _describe(form, senders.stored_secrets(self.host, sender))
        page = self.render(
            "massmail/admin/senders/form.html",
            title="Modify sender" if sender else "New sender",
            form=form,
            sender=sender,
            warm_up=ramp_words(min(max(form.ramp_first.data or FIRST_DAY, 1), 1_000_000)),
        )
        return page, 422 if form.wrong else 200

    def _others(self, sender: Sender | None) -> list[tuple[str, str]]:
        query = select(Sender.id, Sender.name).order_by(Sender.name)
        others = [(str(row.id), row.name) for row in self.host.session.execute(query)]
        return [
            ("", "Nobody: the rest waits for the next day"),
            *(o for o in others if not sender or o[0] != str(sender.id)),
        ]

    def _saved(self, sender: Sender | None, form: SenderForm) -> Sender | None:
        if not form.validate():
            return None
        draft = draft_of(form)
        for name, words in senders.problems(self.host, sender, draft).items():
            form.refuse(FIELD_OF.get(name, name), words)
        if form.wrong:
            return None
        saved = senders.save(self.host, sender, draft)
        self.commit()
        return saved


def _describe(form: SenderForm, stored: frozenset[str]) -> None:
    """Say of each secret whether one is stored, and that what was typed is gone."""
    named = (("secret", form.secret), ("dkim_key", form.rsa_pem), ("dkim_ed_key", form.ed25519_pem))
    for name, field in named:
        if field.data:
            field.description = NOT_KEPT
        elif name in stored:
            field.description = "One is stored and never shown. Left empty, it is kept."
        elif name != "secret":
            field.description = "As PEM: -----BEGIN PRIVATE KEY-----"


def aligned(sender: Sender) -> bool:
    """Whether the signature's domain is that of the From address, or one above or below it (RFC 7489, 3.1.1)."""
    signed, shown = f".{sender.dkim_domain}", f".{sender.from_address.rpartition('@')[2].lower()}"
    return signed.endswith(shown) or shown.endswith(signed)


def standing(sender: Sender) -> Word:
    """Whether the account is known to work."""
    if sender.fault:
        return Word("Held after a fault", "bad")
    if sender.tested_at:
        return Word("Tested", "good")
    return Word("Test failed", "bad") if sender.test_stages else Word("Untested", "waiting")

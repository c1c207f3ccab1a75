"""The screens of senders: list, form, test with its stages, delete. Commits, but for the test, which does it itself."""

from typing import Any

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import IntegerField, PasswordField
from wtforms.validators import InputRequired, NumberRange

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, address, choice, filled, text
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.consent import addresses
from massmail_plugin.models import Sender
from massmail_plugin.sending import senders
from massmail_plugin.vocabulary import Act, Security

SECURITIES = [
    (Security.STARTTLS.value, "STARTTLS (usually port 587)"),
    (Security.TLS.value, "TLS from the start (usually port 465)"),
    (Security.NONE.value, "None (only inside your own network)"),
]
AUTHS = [
    ("auto", "As the server offers"),
    ("plain", "PLAIN"),
    ("login", "LOGIN"),
    ("cram_md5", "CRAM-MD5"),
    ("none", "No login"),
]
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


class SenderForm(ScreenForm):
    """The account form; the stored password never comes back out of it."""

    name = text("Name", required="Give the sender a name.", help="How your colleagues find it in lists.")
    provider = choice("Carried by")
    host = text("Server", required="Enter the server's name, such as smtp.example.org.", longest=255)
    port = IntegerField(
        "Port",
        [
            InputRequired("Enter the port, a number such as 587."),
            NumberRange(1, 65535, "A port is between 1 and 65535."),
        ],
    )
    security = choice("Security", SECURITIES)
    auth = choice("Login method", AUTHS)
    username = text("User name", longest=255, help="Leave empty where the server asks for no login.")
    secret = PasswordField("Password")
    from_name = text("From name", help="What recipients see beside the address.")
    from_address = address("From address", required="Enter the address your mails come from.")
    reply_to = address("Reply-to", help="Where answers go, if not to the From address.")
    bcc = address("Copy to (BCC)", help="Gets a copy of every mail this sender sends. Its links do not count.")


class Senders(Section):
    title = "Senders"
    slug = "senders"

    @screen("/", Act.SENDER_MANAGE)
    def index(self) -> str:
        rows = self.host.session.scalars(select(Sender).order_by(Sender.name)).all()
        return self.render("massmail/admin/senders.html", title="Senders", senders=rows, standing=standing)

    @screen("/new", Act.SENDER_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:sender_id>", Act.SENDER_MANAGE)
    def show(self, sender_id: int) -> str:
        sender = self.get(Sender, sender_id)
        return self.render(
            "massmail/admin/sender.html",
            title=sender.name,
            sender=sender,
            standing=standing,
            stages=STAGES,
            securities=dict(SECURITIES),
            auths=dict(AUTHS),
            remembered=session.get(REMEMBERED, ""),
        )

    @screen("/<int:sender_id>/edit", Act.SENDER_MANAGE, ("GET", "POST"))
    def edit(self, sender_id: int) -> ResponseReturnValue:
        sender = self.get(Sender, sender_id)
        self.require(Act.SENDER_MANAGE, sender)
        return self._edited(sender)

    @screen("/<int:sender_id>/test", Act.SENDER_MANAGE, ("POST",))
    def test(self, sender_id: int) -> ResponseReturnValue:
        sender = self.get(Sender, sender_id)
        self.require(Act.SENDER_MANAGE, sender)
        to = request.form.get("to", "").strip()
        if to and (fault := addresses.fault(to)):
            return self.refused(f"The test was not started. {fault}", "massmail_senders.show", sender_id=sender_id)
        session[REMEMBERED] = to
        stages = senders.try_out(self.host, sender, to, by=guard.user_name())
        if all(stage.ok for stage in stages):
            flash(f"The test passed. A mail is on its way to {to}." if to else "The test passed.", "success")
        else:
            flash("The test failed. The first step marked below says why.", "error")
        return redirect(url_for("massmail_senders.show", sender_id=sender_id, _anchor="test"))

    @screen("/<int:sender_id>/delete", Act.SENDER_MANAGE, ("GET", "POST"))
    def delete(self, sender_id: int) -> ResponseReturnValue:
        sender = self.get(Sender, sender_id)
        self.require(Act.SENDER_MANAGE, sender)
        if request.method == "POST":
            senders.delete(self.host, sender)
            self.commit()
            return self.done(f"The sender “{sender.name}” was deleted.", "massmail_senders.index")
        users = senders.used_by(self.host, sender)
        needed = (
            ["It cannot be deleted, because it is used by:", *users] if users else "Its password is deleted with it."
        )
        return self.confirm(
            title=f"Delete the sender “{sender.name}”?",
            words=needed,
            button="Delete sender",
            back=url_for("massmail_senders.show", sender_id=sender_id),
            danger=True,
            possible=not users,
        )

    def _edited(self, sender: Sender | None) -> ResponseReturnValue:
        form = filled(SenderForm, sender, **({} if sender else {"port": 587, "provider": "smtp"}))
        form.provider.choices = [(name, provider.label) for name, provider in self.host.providers.items()]
        if request.method == "POST" and form.validate() and (saved := self._saved(sender, form)):
            return self.done(f"The sender “{saved.name}” was saved.", "massmail_senders.show", sender_id=saved.id)
        if sender and sender.secret:
            form.secret.description = "A password is stored and never shown. Left empty, it is kept."
        title = "Modify sender" if sender else "New sender"
        page = self.render("massmail/admin/sender_form.html", title=title, form=form, sender=sender)
        return page, 422 if form.wrong else 200

    def _saved(self, sender: Sender | None, form: SenderForm) -> Sender | None:
        draft = draft_of(form)
        if senders.name_taken(self.host, draft.name, sender):
            form.refuse("name", "Another sender has this name.")
        elif sender and senders.secret_needed(sender, draft):
            form.refuse(
                "secret", "Enter the password again: it is kept for the server it was entered for, and for no other."
            )
        else:
            saved = senders.save(self.host, sender, draft)
            self.commit()
            return saved
        return None


def draft_of(form: SenderForm) -> senders.SenderDraft:
    """What was entered; an empty password keeps the stored one, no user name drops it."""
    values: dict[str, Any] = dict(form.data)
    secret = values.pop("secret") or None
    return senders.SenderDraft(**values, secret="" if not values["username"] else secret)


def standing(sender: Sender) -> Word:
    """Whether the account is known to work."""
    if sender.fault:
        return Word("Held after a fault", "bad")
    if sender.tested_at:
        return Word("Tested", "good")
    return Word("Test failed", "bad") if sender.test_stages else Word("Untested", "waiting")

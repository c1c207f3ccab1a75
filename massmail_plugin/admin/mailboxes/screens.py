"""The screens of mailboxes: list, form, test with its steps, delete. Commits; the test ends the transaction itself."""

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.admin.mailboxes.form import AFTER, KINDS, NOT_KEPT, SECURITIES, STORED, draft_of, mailbox_form
from massmail_plugin.contracts import Stage
from massmail_plugin.feedback import mailboxes
from massmail_plugin.models import Mailbox, Received, Sender
from massmail_plugin.vocabulary import Act

SHOW = "massmail_mailboxes.show"
STEPS = {
    "connect": "Connect",
    "login": "Log in",
    "folder": "Open the folder",
    "target": "Folder to move to",
}


class Mailboxes(Section):
    title = "Mailboxes"
    slug = "mailboxes"

    @screen("/", Act.SENDER_MANAGE)
    def index(self) -> str:
        rows = self.host.session.scalars(select(Mailbox).order_by(Mailbox.name)).all()
        return self.render(
            "massmail/admin/mailboxes/list.html",
            title="Mailboxes",
            mailboxes=rows,
            standing=standing,
            kinds=KINDS,
            unheard=self._unheard() if not rows else [],
        )

    def _unheard(self) -> list[str]:
        """Where bounces go to, and who opts out by mail, as the senders say."""
        senders = self.host.session.scalars(select(Sender)).all()
        bounces = {sender.return_path or sender.from_address for sender in senders}
        return sorted(bounces | {sender.opt_out_address for sender in senders if sender.opt_out_address})

    @screen("/new", Act.SENDER_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:mailbox_id>", Act.SENDER_MANAGE)
    def show(self, mailbox_id: int) -> str:
        return self._shown(self.get(Mailbox, mailbox_id), [])

    @screen("/<int:mailbox_id>/edit", Act.SENDER_MANAGE, ("GET", "POST"))
    def edit(self, mailbox_id: int) -> ResponseReturnValue:
        return self._edited(self._managed(mailbox_id))

    @screen("/<int:mailbox_id>/test", Act.SENDER_MANAGE, ("POST",))
    def test(self, mailbox_id: int) -> str:
        mailbox = self._managed(mailbox_id)
        stages = mailboxes.try_out(self.host, mailbox)
        if all(stage.ok for stage in stages):
            flash("The test passed. Nothing was read or changed.", "success")
        else:
            flash("The test failed. The first step marked below says why.", "error")
        return self._shown(mailbox, stages)

    @screen("/<int:mailbox_id>/delete", Act.SENDER_MANAGE, ("GET", "POST"))
    def delete(self, mailbox_id: int) -> ResponseReturnValue:
        mailbox = self._managed(mailbox_id)
        if request.method == "POST":
            mailboxes.delete(self.host, mailbox)
            self.commit()
            return self.done(f"The mailbox “{mailbox.name}” is not read any more.", "massmail_mailboxes.index")
        return self.confirm(
            title=f"Delete the mailbox “{mailbox.name}”?",
            words="It is not read any more, and its password is deleted. What was read from it stays.",
            button="Delete mailbox",
            back=url_for(SHOW, mailbox_id=mailbox_id),
            danger=True,
        )

    def _shown(self, mailbox: Mailbox, stages: list[Stage]) -> str:
        origin = mailboxes.origin_of(mailbox.id)
        count = select(Received.state, func.count()).where(Received.origin == origin).group_by(Received.state)
        return self.render(
            "massmail/admin/mailboxes/show.html",
            title=mailbox.name,
            mailbox=mailbox,
            standing=standing,
            kinds=KINDS,
            securities=SECURITIES,
            after=AFTER,
            stages=stages,
            steps=STEPS,
            counts=dict(self.host.session.execute(count).all()),
            origin=origin,
        )

    def _managed(self, mailbox_id: int) -> Mailbox:
        mailbox = self.get(Mailbox, mailbox_id)
        self.require(Act.SENDER_MANAGE, mailbox)
        return mailbox

    def _edited(self, mailbox: Mailbox | None) -> ResponseReturnValue:
        form = mailbox_form(mailbox, maildirs=bool(self.host.config.maildir_root))
        if request.method == "POST" and form.validate():
            draft = draft_of(form)
            for name, words in mailboxes.problems(self.host, mailbox, draft).items():
                form.refuse(name, words)
            if not form.wrong:
                saved = mailboxes.save(self.host, mailbox, draft)
                self.commit()
                return self.done(f"The mailbox “{saved.name}” was saved.", SHOW, mailbox_id=saved.id)
        if request.method == "POST" and form.secret.data:
            form.secret.description = NOT_KEPT
        elif mailboxes.has_secret(self.host, mailbox):
            form.secret.description = STORED
        page = self.render(
            "massmail/admin/mailboxes/form.html",
            title="Modify mailbox" if mailbox else "New mailbox",
            form=form,
            mailbox=mailbox,
            root=self.host.config.maildir_root,
        )
        return page, 422 if form.wrong else 200


def standing(mailbox: Mailbox) -> Word:
    """Whether it is read."""
    if not mailbox.active:
        return Word("Not read")
    if mailbox.fault:
        return Word("Cannot be read", "bad")
    return Word("Read", "good") if mailbox.read_at else Word("Not read yet", "waiting")

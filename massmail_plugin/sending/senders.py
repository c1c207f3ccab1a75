"""Sending accounts: save, try out, delete. The admin enters and commits; `try_out` owns its short transactions."""

from dataclasses import asdict, dataclass

from sqlalchemy import select

from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.contracts import Account, Host, Outgoing, Stage
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import Campaign, Mailing, Sender, Template
from massmail_plugin.sending.lane import account
from massmail_plugin.vocabulary import MailingKind, Security

CONNECTION = ("provider", "host", "port", "security", "auth", "username")

TRIAL_TEXT = """This mail shows that the sender “{sender}” can send.

{by} asked for it. Nothing needs to be done.
"""


@dataclass(frozen=True, kw_only=True)
class SenderDraft:
    """What a person entered. `secret` None keeps the stored password."""

    name: str
    provider: str = "smtp"
    host: str
    port: int
    security: str
    auth: str
    username: str
    from_name: str
    from_address: str
    reply_to: str = ""
    bcc: str = ""
    secret: str | None = None


def save(host: Host, sender: Sender | None, draft: SenderDraft) -> Sender:
    """Make a sender or change one. What was learnt by testing is forgotten when the connection changes.

    Raises BadRequest for a name that is taken, a provider nobody registered, or a password that must be entered again.
    """
    if name_taken(host, draft.name, sender):
        raise BadRequest(f"There is a sender called “{draft.name}” already.")
    if draft.provider not in host.providers:
        raise BadRequest(f"There is no provider “{draft.provider}”. {nearest(draft.provider, host.providers)}")
    if sender is not None and secret_needed(sender, draft):
        raise BadRequest("Enter the password again: it is kept for the server it was entered for, and for no other.")
    sender = sender or Sender(created_at=host.clock())
    values = asdict(draft)
    secret = values.pop("secret")
    changed = secret is not None or any(getattr(sender, name) != values[name] for name in CONNECTION)
    for name, value in values.items():
        setattr(sender, name, value)
    if secret is not None:
        sender.secret = secret or None
    if changed:
        _forget_test(sender)
    host.session.add(sender)
    host.session.flush()
    return sender


def name_taken(host: Host, name: str, but: Sender | None) -> bool:
    """Whether another sender has this name."""
    found = host.session.scalar(select(Sender.id).where(Sender.name == name))
    return found is not None and (but is None or found != but.id)


def secret_needed(sender: Sender, draft: SenderDraft) -> bool:
    """True where a stored password would go to another server, or in clear: who changes that must know it."""
    elsewhere = sender.host.lower() != draft.host.lower() or sender.provider != draft.provider
    bared = draft.security == Security.NONE and sender.security != Security.NONE
    return bool(sender.secret) and draft.secret is None and (elsewhere or bared)


def _forget_test(sender: Sender) -> None:
    sender.tested_at, sender.test_stages = None, None
    _let_send(sender)


def _let_send(sender: Sender) -> None:
    sender.fault, sender.fault_until = "", None


def try_out(host: Host, sender: Sender, to: str, *, by: str) -> list[Stage]:
    """Connect as the sender and, where `to` is an address, hand over one mail to it; the sender keeps what was seen.

    Commits before the network is used and again with the result. A sender whose test passes is let send again.
    """
    who = account(sender)
    sender_id, provider = sender.id, host.providers[sender.provider]
    message = _trial_message(host, sender, to, by) if to else None
    host.session.commit()
    stages = provider.probe(who, message)
    passed = _remember(host, sender_id, who, stages)
    host.session.commit()
    if passed:
        host.wake("send")
    return stages


def _remember(host: Host, sender_id: int, tried: Account, stages: list[Stage]) -> bool:
    """Keep the stages, unless the account was changed meanwhile; True where the sender is known to work now."""
    sender = host.session.get(Sender, sender_id)
    if sender is None or account(sender) != tried:
        return False
    sender.test_stages = [asdict(stage) for stage in stages]
    passed = all(stage.ok for stage in stages)
    sender.tested_at = host.clock() if passed else None
    if passed:
        _let_send(sender)
    return passed


def _trial_message(host: Host, sender: Sender, to: str, by: str) -> Outgoing:
    now = host.clock()
    parts = EmailParts(
        subject=f"{host.config.test_subject_prefix}{sender.name}",
        text=TRIAL_TEXT.format(sender=sender.name, by=by or "Somebody"),
        from_name=sender.from_name,
        from_address=sender.from_address,
        to_address=to,
        reply_to=sender.reply_to,
        message_id=f"<massmail.trial.{sender.id}.{now:%Y%m%d%H%M%S%f}@{host.config.domain}>",
        date=now,
        bulk=False,
    )
    return Outgoing(message_id=0, mail_from=sender.from_address, rcpt_to=to, content=build(parts))


def used_by(host: Host, sender: Sender) -> list[str]:
    """Who still needs the sender, in words: templates, campaigns, mailings."""
    templates = host.session.scalars(
        select(Template.name).where(Template.sender_id == sender.id).order_by(Template.name)
    )
    campaigns = host.session.scalars(
        select(Campaign.name).where(Campaign.sender_id == sender.id).order_by(Campaign.name)
    )
    mailings = host.session.execute(
        select(Mailing.name, Mailing.kind).where(Mailing.sender_id == sender.id).order_by(Mailing.id.desc()).limit(20)
    )
    return [
        *(f"the template “{name}”" for name in templates),
        *(f"the campaign “{name}”" for name in campaigns),
        *(f"“{name}”" if kind == MailingKind.TEST else f"the mailing “{name}”" for name, kind in mailings),
    ]


def delete(host: Host, sender: Sender) -> None:
    """Delete a sender nobody needs. Raises BadRequest naming those who do."""
    if users := used_by(host, sender):
        raise BadRequest(f"“{sender.name}” is used by {', '.join(users)}.")
    host.session.delete(sender)
    host.session.flush()

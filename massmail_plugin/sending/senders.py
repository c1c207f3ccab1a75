"""Sending accounts: save, try out, delete. The admin enters and commits; `try_out` owns its short transactions."""

from dataclasses import asdict, dataclass, field

from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from massmail_plugin.channels.dkim import signer
from massmail_plugin.channels.dkim_keys import Record, checked_domain, new_keys, record
from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.contracts import Account, Host, Outgoing, Stage
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign, Mailing, Pace, Sender, Template
from massmail_plugin.sending.accounts import account
from massmail_plugin.sending.sender_draft import SECRETS, DomainLimit, SenderDraft, problems, stored_secrets, tidied
from massmail_plugin.vocabulary import MailingKind

__all__ = [
    "DomainLimit",
    "SenderDraft",
    "SigningKeys",
    "delete",
    "make_keys",
    "problems",
    "published",
    "save",
    "stored_secrets",
    "trial_recipient",
    "try_out",
    "use_keys",
    "used_by",
]

CONNECTION = ("provider", "host", "port", "security", "auth", "username")

TRIAL_TEXT = """This mail shows that the sender “{sender}” can send.

{by} asked for it. Nothing needs to be done.
"""


@dataclass(frozen=True, kw_only=True)
class SigningKeys:
    """New keys under their selectors, for a sender that is to sign with them."""

    domain: str
    selector: str
    rsa: str = field(repr=False)
    ed_selector: str
    ed25519: str = field(repr=False)

    def records(self) -> list[Record]:
        """What is to be published in DNS before mails are signed."""
        return [record(self.domain, self.selector, self.rsa), record(self.domain, self.ed_selector, self.ed25519)]


def save(host: Host, sender: Sender | None, draft: SenderDraft) -> Sender:
    """Make a sender or change one. What was learnt by testing is forgotten when the connection changes.

    Raises BadRequest with every reason that `problems` finds.
    """
    if found := problems(host, sender, draft):
        raise BadRequest(" ".join(found.values()))
    sender = sender or Sender(created_at=host.clock())
    values = asdict(tidied(draft))
    secrets = {name: values.pop(name) for name in SECRETS}
    if secrets["secret"] is not None or any(getattr(sender, name) != values[name] for name in CONNECTION):
        _forget_test(sender)
    for name, value in values.items():
        setattr(sender, name, value)
    for name, secret in secrets.items():
        if secret is not None:
            setattr(sender, name, secret or None)
    host.session.add(sender)
    host.session.flush()
    return sender


def make_keys(host: Host, domain: str) -> SigningKeys:
    """New keys to sign with for `domain`; nothing is stored. Raises BadRequest for what is no domain."""
    selector = f"mm{host.clock():%y%m%d%H%M}"
    pair = new_keys()
    return SigningKeys(
        domain=checked_domain(domain),
        selector=selector,
        rsa=pair.rsa,
        ed_selector=selector + "e",
        ed25519=pair.ed25519,
    )


def use_keys(host: Host, sender: Sender, keys: SigningKeys) -> None:
    """Sign the sender's mails with `keys` from now on, instead of those it had."""
    sender.dkim_domain = keys.domain
    sender.dkim_selector, sender.dkim_key = keys.selector, keys.rsa
    sender.dkim_ed_selector, sender.dkim_ed_key = keys.ed_selector, keys.ed25519
    host.session.flush()


def published(sender: Sender) -> list[Record]:
    """The DNS records that belong to the sender's stored keys. Raises SecretUnreadable where they cannot be read."""
    keys = ((sender.dkim_selector, sender.dkim_key), (sender.dkim_ed_selector, sender.dkim_ed_key))
    return [record(sender.dkim_domain, selector, key) for selector, key in keys if key]


def _forget_test(sender: Sender) -> None:
    sender.tested_at, sender.test_stages = None, None
    _let_send(sender)


def _let_send(sender: Sender) -> None:
    sender.fault, sender.fault_until = "", None


def try_out(host: Host, sender: Sender, to: str, *, by: str) -> list[Stage]:
    """Connect as the sender and, where `to` is an address, hand over one mail to it; the sender keeps what was seen.

    The mail is signed as the sender's mails are. Commits before the network is used and again with the result. A
    sender whose test passes is let send again. Raises BadRequest or SecretUnreadable for keys that cannot be used.
    """
    who = account(sender)
    sender_id, provider = sender.id, host.providers[sender.provider]
    message = _trial_message(host, sender, to, by) if trial_recipient(host, to) else None
    host.session.commit()
    stages = provider.probe(who, message)
    passed = _remember(host, sender_id, who, stages)
    host.session.commit()
    if passed:
        host.wake("send")
    return stages


def trial_recipient(host: Host, to: str) -> str:
    """Where a test mail asked for `to` goes: to the address that overrides all recipients; nowhere in a dry run."""
    return "" if host.config.dry_run else to and (host.config.override_recipient or to)


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
    content, signs = build(parts), signer(sender)
    if signs is not None:
        content = signs.sign(content, int(now.timestamp()))
    back_to = sender.return_path or sender.from_address
    return Outgoing(message_id=0, mail_from=back_to, rcpt_to=trial_recipient(host, to), content=content)


def used_by(host: Host, sender: Sender) -> list[str]:
    """Who still needs the sender, in words: templates, campaigns, other senders, mailings."""
    templates = host.session.scalars(
        select(Template.name).where(Template.sender_id == sender.id).order_by(Template.name)
    )
    campaigns = host.session.scalars(
        select(Campaign.name).where(Campaign.sender_id == sender.id).order_by(Campaign.name)
    )
    senders = host.session.scalars(select(Sender.name).where(Sender.spill_to_id == sender.id).order_by(Sender.name))
    mailings = host.session.execute(
        select(Mailing.name, Mailing.kind).where(Mailing.sender_id == sender.id).order_by(Mailing.id.desc()).limit(20)
    )
    return [
        *(f"the template “{name}”" for name in templates),
        *(f"the campaign “{name}”" for name in campaigns),
        *(f"the sender “{name}”, for which it carries on" for name in senders),
        *(f"“{name}”" if kind == MailingKind.TEST else f"the mailing “{name}”" for name, kind in mailings),
    ]


def delete(host: Host, sender: Sender) -> None:
    """Delete a sender nobody needs. Raises BadRequest naming those who do."""
    if users := used_by(host, sender):
        raise BadRequest(f"“{sender.name}” is used by {', '.join(users)}.")
    host.session.execute(delete_rows(Pace).where(Pace.sender_id == sender.id))
    host.session.delete(sender)
    host.session.flush()

"""What a provider is told of a sender, and the way out it opens. Lanes and the sender screens enter; reads only."""

from sqlalchemy import select, update

from massmail_plugin.contracts import Account, Answer, Carriage, Host, Outgoing
from massmail_plugin.errors import SetupError, nearest
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.portable_sql import changed
from massmail_plugin.providers.one_by_one import OneByOneCarriage
from massmail_plugin.vocabulary import MailingState, MessageState

DRY_RUN = "Dry run: handed to nobody, as MASSMAIL_DRY_RUN says."


def open_carriage(host: Host, sender: Sender) -> Carriage:
    """The way out through a sender; in a dry run, a way to nowhere.

    Raises SetupError where its provider is not installed any more.
    """
    if host.config.dry_run:
        return OneByOneCarriage(sender.connections, _keep_here)
    if sender.provider not in host.providers:
        raise SetupError(f"There is no provider “{sender.provider}”. {nearest(sender.provider, host.providers)}")
    return host.providers[sender.provider].open(account(sender))


async def _keep_here(message: Outgoing) -> Answer:
    return Answer(MessageState.SENT, None, DRY_RUN)


def account(sender: Sender) -> Account:
    """A sender's account as its provider needs it, with the password in clear."""
    return Account(
        sender_id=sender.id,
        host=sender.host,
        port=sender.port,
        security=sender.security,
        auth=sender.auth,
        username=sender.username,
        secret=sender.secret or "",
        connections=sender.connections,
    )


def note_trouble(host: Host, words: str) -> None:
    """Say at the senders that are due why a worker cannot send; who can send clears it again. Commits."""
    host.session.rollback()
    due = select(Mailing.sender_id).where(Mailing.state == MailingState.SENDING.value)
    changed(host, update(Sender).where(Sender.id.in_(due)).values(fault=words))
    host.session.commit()

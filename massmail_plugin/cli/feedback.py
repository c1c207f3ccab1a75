"""`flask massmail feedback ...`: a bounce or complaint that somebody read, told by the Message-ID of the mail."""

import click
from flask.cli import AppGroup

from massmail_plugin import feedback as room
from massmail_plugin.cli.group import mounted
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink, BadRequest
from massmail_plugin.models import OutboxMessage
from massmail_plugin.signed_links import read_message_id_field
from massmail_plugin.smtp_status import reply

feedback = AppGroup("feedback", help="What came back about a mail, told by its Message-ID.")
message_argument = click.argument("message_id")


@feedback.command()
@message_argument
@click.option("--detail", default="", help="What the reader or the provider said.")
def complaint(message_id: str, detail: str) -> None:
    """The reader of MESSAGE_ID called it spam: the address gets no more mail."""
    host = mounted()
    message = _message(host, message_id)
    room.complaint(host, message, detail=detail)
    host.session.commit()
    click.echo(f"The complaint about message {message.id} is kept; its address gets no more mail.")


@feedback.command()
@message_argument
@click.argument("code", type=click.IntRange(400, 599))
@click.argument("words")
def bounce(message_id: str, code: int, words: str) -> None:
    """MESSAGE_ID came back with the SMTP reply CODE WORDS, such as: 550 "5.1.1 no such user"."""
    host = mounted()
    message = _message(host, message_id)
    said = reply(code, words)
    room.bounce(host, message, said)
    host.session.commit()
    click.echo(f"The bounce of message {message.id} is kept; it means: {said.meaning.value}.")


def _message(host: Host, message_id: str) -> OutboxMessage:
    try:
        message = host.session.get(OutboxMessage, read_message_id_field(host.config, message_id))
    except BadLink:
        message = None
    if message is None:
        raise BadRequest(f"“{message_id}” is not the Message-ID of a mail we sent. Copy it from the mail's headers.")
    return message

"""The header by which a provider behind the mail server repeats our token in its events. Letters enter; no commits."""

from collections.abc import Callable

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.signed_links import mail_token

_PLACE = "0" * 44


def provider_mark(host: Host, mailing: Mailing) -> Callable[[int], bytes] | None:
    """What gives the header line of an outbox message; None where no provider tells, or the Message-ID is enough.

    Copies never carry it: what becomes of them counts for nobody.
    """
    sender = host.session.get(Sender, mailing.sender_id) if mailing.sender_id else None
    reader = host.event_readers.get(sender.events_by) if sender else None
    header = reader.token_header(_PLACE) if reader else None
    if header is None:
        return None
    before, _, after = f"{header[0]}: {header[1]}\r\n".encode("ascii").partition(_PLACE.encode())
    config = host.config
    return lambda message_id: before + mail_token(config, message_id).encode("ascii") + after

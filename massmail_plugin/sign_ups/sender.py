"""Which sender asks whether a sign-up was meant. Asking and screens enter; reads only."""

from massmail_plugin import mailings
from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Sender


def sender_for(host: Host, list_: List) -> Sender | None:
    """The list's own, else the first that passed its test; None where there is no sender at all."""
    chosen = host.session.get(Sender, list_.sender_id) if list_.sender_id else None
    return chosen or mailings.any_sender(host)

"""Puts together what a template may print for one recipient. Nothing is read or committed here."""

from collections.abc import Mapping
from typing import Any

from massmail_plugin.contracts import Host


def values_for(
    host: Host,
    *,
    contact: Mapping[str, Any],
    sender_name: str,
    sender_address: str,
    mailing_name: str,
    topic: str = "",
) -> dict[str, Any]:
    """The values of a render: `contact` as the audience read it (plain, allow-listed), the rest from the mailing.

    Links are not among them: they depend on the token and are the renderer's.
    """
    return {
        "contact": contact,
        "sender": {"name": sender_name, "address": sender_address},
        "mailing": {"name": mailing_name, "topic": topic},
        "organisation": {"name": host.config.organisation, "address": host.config.postal_address},
        "today": host.clock().date(),
    }

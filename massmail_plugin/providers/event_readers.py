"""The register of those whose webhooks can be read. Doors enter at start; nothing is committed."""

from collections.abc import Mapping

from massmail_plugin.contracts import EventReader, Provider
from massmail_plugin.providers.brevo import BrevoEvents
from massmail_plugin.providers.mailersend import MailerSendEvents
from massmail_plugin.providers.mailgun import MailgunEvents
from massmail_plugin.providers.mailjet import MailjetEvents
from massmail_plugin.providers.mailtrap import MailtrapEvents
from massmail_plugin.providers.mandrill import MandrillEvents
from massmail_plugin.providers.postal import PostalEvents
from massmail_plugin.providers.postmark import PostmarkEvents
from massmail_plugin.providers.resend import ResendEvents
from massmail_plugin.providers.sendgrid import SendGridEvents
from massmail_plugin.providers.ses import SesEvents
from massmail_plugin.providers.signed_json import SignedJsonEvents
from massmail_plugin.providers.sparkpost import SparkPostEvents
from massmail_plugin.providers.unisender_go import UnisenderGoEvents

ALIASES = {"amazon_ses": "ses"}
"""Other names under which a provider is known."""


def load_event_readers(providers: Mapping[str, Provider]) -> dict[str, EventReader]:
    """Every reader by its provider's name: our own, and those carriers of other packages that read events too."""
    own: tuple[EventReader, ...] = (
        SesEvents(),
        SendGridEvents(),
        MailgunEvents(),
        PostmarkEvents(),
        BrevoEvents(),
        SparkPostEvents(),
        MailjetEvents(),
        MailerSendEvents(),
        MandrillEvents(),
        ResendEvents(),
        PostalEvents(),
        MailtrapEvents(),
        UnisenderGoEvents(),
        SignedJsonEvents(),
    )
    others = {name: one for name, one in providers.items() if all(hasattr(one, part) for part in _PARTS)}
    return {**{one.name: one for one in own}, **others}  # type: ignore[dict-item]


_PARTS = ("secret_label", "secret_help", "check", "read", "token_header")

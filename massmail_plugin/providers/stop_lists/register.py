"""The register of providers whose own list of stopped addresses can be read and changed. Feedback enters."""

from massmail_plugin.providers.stop_lists.brevo import BrevoList
from massmail_plugin.providers.stop_lists.listed import StopList
from massmail_plugin.providers.stop_lists.mailgun import MailgunList
from massmail_plugin.providers.stop_lists.postmark import PostmarkList
from massmail_plugin.providers.stop_lists.sendgrid import SendGridList
from massmail_plugin.providers.stop_lists.ses import SesList


def load_stop_lists() -> dict[str, StopList]:
    """By the provider's name."""
    lists: tuple[StopList, ...] = (SendGridList(), MailgunList(), PostmarkList(), BrevoList(), SesList())
    return {one.name: one for one in lists}

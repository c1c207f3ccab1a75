"""The door for the host's people: Flask-Admin views, their templates and small scripts. Views commit."""

from flask_admin import Admin

from massmail_plugin.admin.campaigns.screens import Campaigns
from massmail_plugin.admin.contacts.panel import contact_of, contact_panel
from massmail_plugin.admin.criteria.screens import Criteria
from massmail_plugin.admin.feeds.screens import EventFeeds
from massmail_plugin.admin.imports.screens import Imports
from massmail_plugin.admin.lists.screens import Lists
from massmail_plugin.admin.mailboxes.screens import Mailboxes
from massmail_plugin.admin.mailings.screens import Mailings
from massmail_plugin.admin.outcomes.failures import Outcomes
from massmail_plugin.admin.outcomes.webhooks import Webhooks
from massmail_plugin.admin.overview import Overview
from massmail_plugin.admin.privacy.screens import Privacy
from massmail_plugin.admin.received.screens import ReceivedMail
from massmail_plugin.admin.senders import Senders
from massmail_plugin.admin.sign_ups.screens import SignUps
from massmail_plugin.admin.statistics.screens import Statistics
from massmail_plugin.admin.suppressions.screens import Suppressions
from massmail_plugin.admin.system import System
from massmail_plugin.admin.templates.screens import Templates
from massmail_plugin.contracts import Host

SECTIONS = (
    Overview,
    Mailings,
    Campaigns,
    Templates,
    Lists,
    Imports,
    SignUps,
    Criteria,
    Senders,
    Mailboxes,
    EventFeeds,
    Suppressions,
    Privacy,
    ReceivedMail,
    Statistics,
    Outcomes,
    Webhooks,
    System,
)
"""In the order of the menu."""


def add_views(admin: Admin, host: Host) -> None:
    """Put the mailing section into the host's menu: new view objects each time, so every app has its own.

    Works before and after `admin.init_app`, but not after the first request.
    """
    for section in SECTIONS:
        admin.add_view(section(host))


__all__ = ["add_views", "contact_of", "contact_panel"]

"""How many contacts a rule finds, and who, for the screen that builds it: bounded in time. Reads only."""

from sqlalchemy import func, select

from massmail_plugin.audience import contacts
from massmail_plugin.audience.contacts import ContactSummary
from massmail_plugin.audience.criteria_sql import clause
from massmail_plugin.audience.time_limit import bounded
from massmail_plugin.audience.visibility import visible
from massmail_plugin.contracts import ContactSource, Host


def count(host: Host, source: ContactSource, rule: object) -> int:
    """Contacts of the host for which the rule is true, of those the viewer may see. Raises RuleError and TooSlow."""
    wanted = clause(host, source, rule), visible(host, source)
    with bounded(host):
        return host.session.scalar(select(func.count()).select_from(source.model).where(*wanted)) or 0


def sample(host: Host, source: ContactSource, rule: object, limit: int = 10) -> list[ContactSummary]:
    """The first of them by name. Raises RuleError and TooSlow."""
    wanted = clause(host, source, rule)
    with bounded(host):
        return contacts.sample(host, source, wanted, limit)

"""How many contacts a rule finds, and who, for the screen that builds it. Reads only."""

from sqlalchemy import func, select

from massmail_plugin.audience import contacts
from massmail_plugin.audience.contacts import ContactSummary
from massmail_plugin.audience.criteria_sql import clause
from massmail_plugin.contracts import ContactSource, Host


def count(host: Host, source: ContactSource, rule: object) -> int:
    """Contacts of the host for which the rule is true. Raises RuleError."""
    counted = select(func.count()).select_from(source.model).where(clause(host, source, rule))
    return host.session.scalar(counted) or 0


def sample(host: Host, source: ContactSource, rule: object, limit: int = 10) -> list[ContactSummary]:
    """The first of them by name. Raises RuleError."""
    return contacts.sample(host, source, clause(host, source, rule), limit)

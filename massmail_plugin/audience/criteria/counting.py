"""How many contacts a rule finds, and who, for the screen that builds it: bounded in time. Reads only."""

from sqlalchemy import func, select

from massmail_plugin.audience.contacts import summaries
from massmail_plugin.audience.contacts.summaries import ContactSummary
from massmail_plugin.audience.contacts.visibility import visible
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.criteria.time_limit import bounded
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
        return summaries.sample(host, source, wanted, limit)

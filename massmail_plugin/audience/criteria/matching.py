"""The contacts that a saved criterion finds now, as one statement. Screens and the command line enter; reads only."""

from typing import Any

from sqlalchemy import Select, select

from massmail_plugin.audience.contacts.visibility import visible
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import Criterion


def matching(host: Host, criterion: Criterion) -> tuple[ContactSource, Select[Any]]:
    """The source, and the key texts of those who are found and whom the viewer may see. Raises RuleError."""
    source = host.source(criterion.contact_source)
    found = select(key_text(source).label("key")).select_from(source.model)
    return source, found.where(clause(host, source, criterion.rule), visible(host, source))

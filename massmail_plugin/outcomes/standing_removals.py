"""Which removals of contacts stand: those that were not taken back. Delivery enters; reads only."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport, Template
from massmail_plugin.outcomes.mapping import Overrides, mapped_status
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import Outcome


@dataclass(frozen=True)
class Removal:
    """A removal that stands: through which mailing, list and campaign, and the status it is mapped to."""

    mailing_id: int
    list_id: int | None
    campaign_id: int | None
    status: str | None

    def concerns(self, place: str) -> bool:
        """Whether it counts at the contact, or at the membership called `place`."""
        return place in ("contact", f"list:{self.list_id}", f"campaign:{self.campaign_id}")


def standing_removals(host: Host, contacts: Collection[ContactRef]) -> Mapping[ContactRef, Sequence[Removal]]:
    """The removals that stand, of each contact the newest mailing's last. One query for each contact source."""
    found: dict[ContactRef, list[Removal]] = defaultdict(list)
    for source in {contact.source for contact in contacts}:
        for key, removal in _of_source(host, source, [one.key for one in contacts if one.source == source]):
            found[ContactRef(source, key)].append(removal)
    return found


def _of_source(host: Host, source: str, keys: Sequence[str]) -> list[tuple[str, Removal]]:
    report = OutcomeReport
    stands = (
        select(report.contact_key, report.message_id, report.mailing_id)
        .where(
            report.contact_source == source, one_of(report.contact_key, keys), report.outcome == Outcome.REMOVED.value
        )
        .group_by(report.contact_key, report.message_id, report.mailing_id)
        .having(func.max(report.turn) % 2 == 0)
        .subquery()
    )
    query = (
        select(stands.c.contact_key, Mailing.id, OutboxMessage.list_id, Mailing.campaign_id)
        .add_columns(Mailing.statuses, Template.statuses)
        .join(OutboxMessage, OutboxMessage.id == stands.c.message_id)
        .join(Mailing, Mailing.id == stands.c.mailing_id)
        .outerjoin(Template, Template.id == Mailing.template_id)
        .order_by(Mailing.id, OutboxMessage.id)
    )
    return [
        (key, Removal(mailing_id, list_id, campaign_id, _status(host, own, template)))
        for key, mailing_id, list_id, campaign_id, own, template in host.session.execute(query)
    ]


def _status(host: Host, *overrides: Overrides) -> str | None:
    return mapped_status(Outcome.REMOVED, host.statuses, *overrides)

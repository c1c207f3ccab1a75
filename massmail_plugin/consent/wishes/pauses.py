"""A contact wants no mailings for a while: a stop that ends by itself. Public, admin and CLI enter and commit."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.released import let_go
from massmail_plugin.consent.stops.suppression import in_force
from massmail_plugin.consent.wishes.opt_outs import of_contact
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Suppression
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

LONGEST = timedelta(days=3 * 366)


def pause(host: Host, contact: ContactRef, *, until: datetime, proof: Proof) -> bool:
    """No mailing goes to the contact before `until`; the newest pause counts. True where that was news.

    Raises BadRequest where that time is over already or more than three years away.
    """
    now = host.clock()
    if not now < until <= now + LONGEST:
        raise BadRequest("Choose a day within the next three years for the end of the pause.")
    if paused_until(host, contact) == until:
        return False
    earlier = list(host.session.scalars(select(Suppression.id).where(_pauses(contact))))
    host.session.add(
        Suppression(
            contact_source=contact.source,
            contact_key=contact.key,
            scope=SuppressionScope.ALL_BUT_TRANSACTIONAL.value,
            reason=SuppressionReason.PAUSE.value,
            until=until,
            way=str(proof.way),
            note=proof.evidence,
            created_at=now,
            created_by=proof.by[:200],
            message_id=proof.message_id,
        )
    )
    host.session.flush()
    if earlier:
        let_go(host, Suppression.id.in_(earlier), by=proof.by, note=proof.evidence)
    return True


def end_pause(host: Host, contact: ContactRef, *, proof: Proof) -> bool:
    """Mailings go to the contact again; True where there was a pause."""
    was_paused = paused_until(host, contact) is not None
    let_go(host, _pauses(contact), by=proof.by, note=proof.evidence)
    return was_paused


def paused_until(host: Host, contact: ContactRef) -> datetime | None:
    """When the contact's pause ends; None where there is none now."""
    end = select(func.max(Suppression.until)).where(_pauses(contact), in_force(host.clock()))
    return host.session.scalar(end)


def _pauses(contact: ContactRef) -> ColumnElement[bool]:
    return and_(Suppression.reason == SuppressionReason.PAUSE.value, *of_contact(contact))

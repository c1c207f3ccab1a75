"""Who gets a mailing, as one SELECT that the outbox takes as it is. Reads only."""

from typing import Any

from sqlalchemy import Select, and_, case, func, literal, null, select

from massmail_plugin.audience.funnel.request import AudienceRequest
from massmail_plugin.audience.funnel.sieve import GOES, REASONS, sieve
from massmail_plugin.consent.addresses import LONGEST
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import SkipReason


def select_recipients(host: Host, request: AudienceRequest) -> Select[Any]:
    """One row for each (contact, address) of the audience, also for those left out.

    Columns: contact_source, contact_key, address_role, channel, address, dedup_key, list_id, skip_reason (NULL: to be
    sent, else a SkipReason). Whom the mailing is not meant for has no row: contacts outside the criterion, of another
    status, or on archived lists alone. An inactive one, or one without an address, has one. `dedup_key` is set on rows
    to be sent where the request wants one message per address. Raises RuleError, BadRequest (unknown role) or
    SetupError (unknown source).
    """
    rows = sieve(host, request)
    goes = rows.c.far == GOES
    reasons = {number: reason.value for number, reason in enumerate(REASONS)}
    once = and_(goes, literal(request.one_per_address))
    return select(
        literal(host.source(request.source_name).source_name).label("contact_source"),
        rows.c.key.label("contact_key"),
        rows.c.role.label("address_role"),
        rows.c.channel.label("channel"),
        func.substr(rows.c.address, 1, LONGEST).label("address"),
        case((once, rows.c.normal), else_=null()).label("dedup_key"),
        rows.c.list_id.label("list_id"),
        case(reasons, value=rows.c.far).label("skip_reason"),
    ).where(rows.c.far != REASONS.index(SkipReason.OTHER_STATUS))

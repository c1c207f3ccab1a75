"""The people behind a step of the funnel, page by page. Reads only."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, select, true

from massmail_plugin.audience.contacts.summaries import ContactSummary, summaries
from massmail_plugin.audience.contacts.visibility import visible
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.funnel.on_lists import on_any
from massmail_plugin.audience.funnel.request import AudienceRequest, addresses_of
from massmail_plugin.audience.funnel.sieve import GOES, REASONS, in_status, sieve
from massmail_plugin.audience.funnel.steps import STAGES, WILL_GET, only_archived
from massmail_plugin.consent.contact_keys import key_from_text, key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.portable_sql import room_to_sort
from massmail_plugin.vocabulary import SkipReason


def left_out(
    host: Host, request: AudienceRequest, step: str, *, after: str = "", limit: int = 50
) -> list[ContactSummary]:
    """Up to `limit` contacts who fall away in a step of the funnel, or who will get it, by key, from `after` on.

    Only those the viewer may see. Raises KeyError for a step that there is not.
    """
    source = host.source(request.source_name)
    room_to_sort(host)
    key = register(source).key_column
    wanted = _before_the_sieve.get(step)
    those = wanted(host, source, request) if wanted else key.in_(_of_reason(host, request, step))
    page = select(key_text(source)).select_from(source.model).where(those, visible(host, source))
    if after:
        page = page.where(key > key_from_text(source, after))
    keys = list(host.session.scalars(page.order_by(key).limit(limit)))
    found = summaries(host, [ContactRef(source.source_name, one) for one in keys])
    refs = (ContactRef(source.source_name, one) for one in keys)
    return [found[ref] for ref in refs if ref in found]


def _of_reason(host: Host, request: AudienceRequest, step: str) -> Select[Any]:
    """The host's keys of those whose best address gets so far and no further."""
    far = GOES if step == WILL_GET.name else REASONS.index(_reason_of(step))
    turns = far in (GOES, REASONS.index(SkipReason.DUPLICATE))
    rows = sieve(host, request, lists=False, turns=turns)
    if len(addresses_of(host.source(request.source_name), request)) == 1:
        return select(rows.c.host_key).where(rows.c.far == far)
    return select(rows.c.host_key).group_by(rows.c.host_key).having(func.max(rows.c.far) == far)


def _reason_of(step: str) -> SkipReason:
    return {stage.name: stage.reason for stage in STAGES if stage.reason}[step]


# --- Steps that are asked of the host's table alone ----------------------------------------------------------------

Those = Callable[[Host, ContactSource, AudienceRequest], ColumnElement[bool]]


def _outside(host: Host, source: ContactSource, request: AudienceRequest) -> ColumnElement[bool]:
    return and_(on_any(host, source, request, request.list_ids), not_(_within(host, source, request)))


def _of_other_status(host: Host, source: ContactSource, request: AudienceRequest) -> ColumnElement[bool]:
    listed = on_any(host, source, request, request.list_ids)
    return and_(listed, _within(host, source, request), not_(in_status(source, request.statuses)))


def _on_archived_alone(host: Host, source: ContactSource, request: AudienceRequest) -> ColumnElement[bool]:
    alone = only_archived(host, source, request)
    nobody: ColumnElement[bool] = not_(true())
    chosen = in_status(source, request.statuses)
    return nobody if alone is None else and_(alone, _within(host, source, request), chosen)


def _within(host: Host, source: ContactSource, request: AudienceRequest) -> ColumnElement[bool]:
    return clause(host, source, request.rule)


_before_the_sieve: dict[str, Those] = {
    "matching": _outside,
    "status": _of_other_status,
    "open": _on_archived_alone,
}

"""How an audience narrows, step by step, in numbers. Reads only; as few statements as the request allows."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, distinct, func, not_, select, true

from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.funnel.on_lists import active_ids, archived_ids, on_any
from massmail_plugin.audience.funnel.request import AudienceRequest, addresses_of
from massmail_plugin.audience.funnel.sieve import GOES, REASONS, bytewise, in_status, sieve
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.portable_sql import room_to_sort
from massmail_plugin.vocabulary import SkipReason


@dataclass(frozen=True)
class Stage:
    """A step of every funnel: what those are who pass it, why the others do not, and how the outbox says so."""

    name: str
    label: str
    why: str
    reason: SkipReason | None = None


STAGES = (
    Stage("matching", "match the criterion", "outside the criterion"),
    Stage("status", "have a chosen status", "another status", SkipReason.OTHER_STATUS),
    Stage("open", "on an active list", "on archived lists alone"),
    Stage("included", "on no excluded list", "on an excluded list", SkipReason.EXCLUDED),
    Stage("active", "active", "not active", SkipReason.INACTIVE),
    Stage("with_address", "have an address", "no address", SkipReason.NO_ADDRESS),
    Stage("usable", "have a usable address", "address cannot be right", SkipReason.BAD_ADDRESS),
    Stage("willing", "not opted out", "opted out", SkipReason.OPTED_OUT),
    Stage("allowed", "not suppressed", "suppressed", SkipReason.SUPPRESSED),
    Stage("rested", "not mailed lately", "mailed within the resend window", SkipReason.MAILED_LATELY),
    Stage("paced", "not too soon for who wants fewer mails", "wants fewer mails", SkipReason.WANTS_FEWER),
    Stage("unique", "one mail per address", "same address as another contact", SkipReason.DUPLICATE),
)
LISTED = Stage("listed", "in the lists", "")
WILL_GET = Stage("will_get", "will get it", "")


@dataclass(frozen=True)
class FunnelStep:
    """`count` contacts are left after this step, `left_out` fell away in it, for the reason in words.

    The last step (`will_get`) counts messages: a contact with two addresses gets two. `taken` is False for a step that
    this request does not ask for.
    """

    name: str
    label: str
    count: int
    left_out: int
    reason_label: str
    taken: bool = True


@dataclass(frozen=True)
class _Closed:
    """Contacts on archived lists alone: all of them, those within the criterion, those of a chosen status as well."""

    listed: int = 0
    matching: int = 0
    chosen: int = 0


def funnel(host: Host, request: AudienceRequest) -> list[FunnelStep]:
    """The steps from the lists to the messages. A contact with several addresses counts as far as its best one gets."""
    source = host.source(request.source_name)
    room_to_sort(host)
    reached, messages = _reached(host, request)
    within = sum(reached.values())
    closed = _closed(host, source, request)
    listed = closed.listed + (within if request.rule is None else _on_active(host, source, request))
    fell = {stage.name: reached.get(REASONS.index(stage.reason), 0) for stage in STAGES if stage.reason}
    fell |= {"matching": listed - within - closed.matching, "open": closed.chosen}
    fell["status"] += closed.matching - closed.chosen
    taken = taken_steps(host, source, request)
    steps, left = [FunnelStep(LISTED.name, LISTED.label, listed, 0, "")], listed
    for stage in STAGES:
        left -= fell[stage.name]
        steps.append(FunnelStep(stage.name, stage.label, left, fell[stage.name], stage.why, stage.name in taken))
    return [*steps, FunnelStep(WILL_GET.name, WILL_GET.label, messages, 0, "")]


def taken_steps(host: Host, source: ContactSource, request: AudienceRequest) -> set[str]:
    """The names of the steps that can leave somebody out of this request."""
    idle = {
        "matching": request.rule is None,
        "status": not request.statuses or source.status is None,
        "open": not archived_ids(host, request.list_ids),
        "included": not request.excluded_list_ids,
        "active": source.active is None,
        "rested": request.lately is None,
        "unique": not request.one_per_address and len(addresses_of(source, request)) == 1,
    }
    return {stage.name for stage in STAGES if not idle.get(stage.name)}


def _reached(host: Host, request: AudienceRequest) -> tuple[dict[int, int], int]:
    """How far they get -> contacts whose best address gets that far, and the number of messages."""
    if len(addresses_of(host.source(request.source_name), request)) == 1:
        return _of_one_address(host, request)
    rows = sieve(host, request, lists=False)
    sent = func.sum(case((rows.c.far == GOES, 1), else_=0))
    best = select(func.max(rows.c.far).label("far"), sent.label("messages")).group_by(rows.c.key).subquery("best")
    found = select(best.c.far, func.count(), func.sum(best.c.messages)).group_by(best.c.far)
    counted = host.session.execute(found).all()
    return {far: contacts for far, contacts, _ in counted}, int(sum(messages for *_, messages in counted))


def _of_one_address(host: Host, request: AudienceRequest) -> tuple[dict[int, int], int]:
    """With one row for each contact nobody's turn matters, only how many different addresses there are."""
    rows = sieve(host, request, lists=False, turns=False)
    different = func.count(distinct(bytewise(host, case((rows.c.far == GOES, rows.c.normal)))))
    wanted = different if request.one_per_address else func.count()
    reached, messages = {}, 0
    for far, contacts, kept in host.session.execute(select(rows.c.far, func.count(), wanted).group_by(rows.c.far)):
        reached[far] = contacts
        if far == GOES:
            messages = reached[far] = kept
            reached[REASONS.index(SkipReason.DUPLICATE)] = contacts - kept
    return reached, messages


def _on_active(host: Host, source: ContactSource, request: AudienceRequest) -> int:
    on = on_any(host, source, request, active_ids(host, request.list_ids))
    return host.session.scalar(select(func.count()).select_from(source.model).where(on)) or 0


def only_archived(host: Host, source: ContactSource, request: AudienceRequest) -> ColumnElement[bool] | None:
    """True for contacts on archived lists of the request and on no active one; None where no list is archived."""
    archived = archived_ids(host, request.list_ids)
    if not archived:
        return None
    active = active_ids(host, request.list_ids)
    on_archived = on_any(host, source, request, archived)
    return and_(on_archived, not_(on_any(host, source, request, active))) if active else on_archived


def _closed(host: Host, source: ContactSource, request: AudienceRequest) -> _Closed:
    alone = only_archived(host, source, request)
    if alone is None:
        return _Closed()
    matching = true() if request.rule is None else clause(host, source, request.rule)
    chosen = and_(matching, in_status(source, request.statuses))
    counts = [func.sum(case((test, 1), else_=0)) for test in (matching, chosen)]
    numbers = host.session.execute(select(func.count(), *counts).select_from(source.model).where(alone)).one()
    return _Closed(*(int(number or 0) for number in numbers))

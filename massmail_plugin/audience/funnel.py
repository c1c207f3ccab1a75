"""How an audience narrows, step by step, in numbers. Reads only; two statements whatever the size."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from massmail_plugin.audience.selection import AudienceRequest, on_lists, select_recipients
from massmail_plugin.consent.contact_keys import key_from_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import SkipReason


@dataclass(frozen=True)
class FunnelStep:
    """`count` contacts are left after this step, `left_out` fell away in it, for the reason in words.

    The last step (`will_get`) counts messages: a contact with two addresses gets two.
    """

    name: str
    label: str
    count: int
    left_out: int
    reason_label: str


_STAGES: tuple[tuple[SkipReason, str, str, str], ...] = (
    (SkipReason.INACTIVE, "active", "active", "not active"),
    (SkipReason.NO_ADDRESS, "with_address", "have an address", "no address"),
    (SkipReason.BAD_ADDRESS, "usable", "have a usable address", "address cannot be right"),
    (SkipReason.OPTED_OUT, "willing", "not opted out", "opted out"),
    (SkipReason.SUPPRESSED, "allowed", "not suppressed", "suppressed"),
    (SkipReason.DUPLICATE, "unique", "one message per address", "same address as another contact"),
)


def funnel(host: Host, request: AudienceRequest) -> list[FunnelStep]:
    """The steps from the lists to the messages. A contact with several addresses counts as far as its best one gets."""
    listed = host.session.scalar(_known_on_lists(host, request)) or 0
    reached: dict[int, tuple[int, int]] = {
        stage: (contacts, messages) for stage, contacts, messages in host.session.execute(_by_stage(host, request))
    }
    left = sum(contacts for contacts, _ in reached.values())
    steps = [
        FunnelStep("listed", "in the lists", listed, 0, ""),
        FunnelStep("matching", "match the criteria", left, listed - left, "outside the criteria"),
    ]
    for stage, (_, name, label, why) in enumerate(_STAGES):
        fell = reached.get(stage, (0, 0))[0]
        left -= fell
        steps.append(FunnelStep(name, label, left, fell, why))
    messages = sum(sent for _, sent in reached.values())
    return [*steps, FunnelStep("will_get", "will get it", int(messages), 0, "")]


def _known_on_lists(host: Host, request: AudienceRequest) -> Any:
    source = host.source(request.source_name)
    listed = on_lists(host, request)
    known = register(source).key_column == key_from_text(source, listed.c.key)
    return select(func.count()).select_from(listed).join(source.model, known)


def _by_stage(host: Host, request: AudienceRequest) -> Any:
    """Stage -> contacts whose best address got that far, and their messages."""
    rows = select_recipients(host, request).subquery("recipients")
    stage = case(
        *((rows.c.skip_reason == reason.value, number) for number, (reason, *_) in enumerate(_STAGES)),
        else_=len(_STAGES),
    )
    sent = func.sum(case((rows.c.skip_reason.is_(None), 1), else_=0))
    best = select(func.max(stage).label("stage"), sent.label("messages")).group_by(rows.c.contact_key).subquery("best")
    return select(best.c.stage, func.count(), func.sum(best.c.messages)).group_by(best.c.stage)

"""Which of the host's functions hear of a report, each under a name by which it is remembered. Nobody commits here."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select

from massmail_plugin.contracts import AddressFact, HistoryFact, Host
from massmail_plugin.models import Suppression
from massmail_plugin.outcomes.tasks import Task
from massmail_plugin.vocabulary import Outcome, SuppressionReason

_LOST = {
    Outcome.BOUNCED: SuppressionReason.HARD_BOUNCE,
    Outcome.COMPLAINED: SuppressionReason.COMPLAINT,
}


class Listener(NamedTuple):
    """One of the host's functions, its name on screens, and how to make the fact it gets (None: there is none)."""

    name: str
    function: Callable[[Any], object]
    fact: Callable[[], Any]


def somebody_listens(host: Host, task: Task) -> bool:
    """Whether any function hears of this report."""
    return next(listeners(host, task), None) is not None


def listeners(host: Host, task: Task) -> Iterator[Listener]:
    """The functions that hear of a report, in the order in which they are called."""
    if task.taken_back:
        return
    hooks = host.hooks
    if task.of_interest:
        yield from (_named("on_interest", hook, task.interest_fact) for hook in hooks.on_interest)
        return
    yield from (_named("on_outcome", hook, partial(task.fact, host)) for hook in hooks.on_outcome)
    if task.outcome in _LOST:
        yield from (_named("on_address_lost", hook, partial(_lost, host, task)) for hook in hooks.on_address_lost)
    if task.outcome is Outcome.SENT:
        yield from _of_sent(host, task)


def _of_sent(host: Host, task: Task) -> Iterator[Listener]:
    if task.run.keeps_history and host.hooks.write_history is not None:
        yield _named("write_history", host.hooks.write_history, partial(_copy, host, task))
    for name in task.run.actions:
        if name in host.hooks.actions:
            yield Listener(f"action {name}", host.hooks.actions[name][1], partial(task.fact, host))


def _named(hook: str, function: Callable[[Any], object], fact: Callable[[], Any]) -> Listener:
    where = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__name__)}"
    return Listener(f"{hook} {where}", function, fact)


def _lost(host: Host, task: Task) -> AddressFact:
    """With what the suppression says, where this mail brought it about."""
    complained = Suppression.reason == SuppressionReason.COMPLAINT.value
    query = select(Suppression.reason, Suppression.note).where(
        Suppression.message_id == task.message_id,
        Suppression.address.is_not(None),
        complained if task.outcome is Outcome.COMPLAINED else ~complained,
    )
    found = host.session.execute(query.order_by(Suppression.id.desc()).limit(1)).first()
    return AddressFact(
        report_id=task.report_id,
        contact=task.contact,
        address=task.address,
        role=task.role,
        reason=SuppressionReason(found.reason) if found else _LOST[task.outcome],
        words=found.note if found else "",
        at=task.at,
        mailing_id=task.run.id,
        mailing_name=task.run.name,
    )


def _copy(host: Host, task: Task) -> HistoryFact | None:
    copy = host.copy_of(host, task.message_id) if host.copy_of else None
    if copy is None:
        return None
    return HistoryFact(
        report_id=task.report_id,
        contact=task.contact,
        address=task.address,
        at=task.at,
        from_name=copy.from_name,
        from_address=copy.from_address,
        subject=copy.subject,
        html=copy.html,
        text=copy.text,
        mailing_id=task.run.id,
        mailing_name=task.run.name,
        template_name=task.run.template_name,
    )

"""Sends what waits in the queues of webhooks: several receivers at once, each at its own pace. Delivery enters.

Owns its transactions; none is open while a receiver is waited for. At least once each: a crash repeats those on their
way, under the same id.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, exists, literal_column, or_, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Webhook, WebhookDelivery
from massmail_plugin.outcomes.tasks import tasks_of
from massmail_plugin.outcomes.turn import Turn
from massmail_plugin.outcomes.webhooks.packets import Letter, Result, Tried, send
from massmail_plugin.outcomes.webhooks.payload import body_of
from massmail_plugin.outcomes.webhooks.posting import Answer
from massmail_plugin.outcomes.webhooks.receivers import Receiver, receiver
from massmail_plugin.outcomes.webhooks.signing import key_of
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.vocabulary import ReportState

log = logging.getLogger(__name__)

AT_ONCE, EACH = 16, 4
"""Packets that are posted at the same time, and to one receiver."""
PACKET = 50
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(hours=1)
"""How long a receiver that is at fault is left alone: as long again as it has been failing."""
PATIENCE = timedelta(days=5)
"""After this time of failing nothing more is sent until a person switches it on again."""
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440))
"""Between the attempts of a body that the receiver does not want, while it takes others; then it is set aside."""
LONGEST_ASKED = timedelta(hours=6)
FORGOTTEN_AT_ONCE = 1_000
# Spelled out: an index that holds only those that wait must be seen to fit.
WAITING: ColumnElement[str] = literal_column(f"'{ReportState.WAITING.value}'")


class Packet(NamedTuple):
    """Some letters for one webhook."""

    webhook_id: int
    letters: Sequence[Letter]


class Webhooks:
    """The third step of delivery, beside the second."""

    def __init__(self, host: Host, turn: Turn) -> None:
        self._host = host
        self._turn = turn
        self._under_way: dict[Future[Result], Packet] = {}
        self.delivered = 0

    def run(self) -> None:
        """Until nothing is due, or the turn is over; what is on its way then is awaited."""
        _forget_old(self._host)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="massmail-webhook") as pool:
            while self._turn.may_go_on():
                self._send_off(pool)
                if not self._under_way:
                    break
                self._take_in(timeout=1.0)
            while self._under_way:
                self._take_in(timeout=None)

    def _send_off(self, pool: ThreadPoolExecutor) -> None:
        for hook in self._ready():
            if len(self._under_way) >= AT_ONCE:
                break
            if letters := self._letters(self._due(hook.id)):
                self._send(pool, hook, letters)
        self._host.session.commit()

    def _ready(self) -> Sequence[Webhook]:
        """Those that are on and not busy; who was served last comes last, and who fails gets one packet at a time."""
        now, busy = self._host.clock(), Counter(packet.webhook_id for packet in self._under_way.values())
        rested = or_(Webhook.rests_until.is_(None), Webhook.rests_until <= now)
        query = select(Webhook).where(Webhook.active, rested).execution_options(populate_existing=True)
        found = self._host.session.scalars(query.order_by(Webhook.taken_at.asc().nulls_first(), Webhook.id))
        return [hook for hook in found if busy[hook.id] < (1 if hook.failing_since else EACH)]

    def _due(self, webhook_id: int) -> Sequence[Any]:
        under_way = [
            letter.delivery_id
            for packet in self._under_way.values()
            for letter in packet.letters
            if packet.webhook_id == webhook_id
        ]
        delivery = WebhookDelivery
        due = delivery.webhook_id == webhook_id, delivery.state == WAITING, delivery.due_at <= self._host.clock()
        query = select(delivery.id, delivery.report_id, delivery.attempts).where(*due, delivery.id.not_in(under_way))
        return self._host.session.execute(query.order_by(delivery.due_at, delivery.id).limit(PACKET)).all()

    def _send(self, pool: ThreadPoolExecutor, hook: Webhook, letters: Sequence[Letter]) -> None:
        try:
            to, keys = receiver_of(self._host, hook), keys_of(self._host, hook)
        except BadRequest as error:
            self._at_fault(hook.id, Answer(None, str(error)))
            return
        sent = pool.submit(send, to, keys, letters, self._host.clock)
        self._under_way[sent] = Packet(hook.id, letters)

    def _letters(self, rows: Sequence[Any]) -> list[Letter]:
        """A report that is not kept any more is told to nobody."""
        if not rows:
            return []
        tasks = tasks_of(self._host, [report_id for _, report_id, _ in rows])
        gone = [delivery_id for delivery_id, report_id, _ in rows if report_id not in tasks]
        if gone:
            self._mark(gone, state=ReportState.SET_ASIDE.value, problem="The outcome is not kept any more.")
        return [
            Letter(delivery_id, attempts, f"msg_{delivery_id}_{report_id}", body_of(self._host, tasks[report_id]))
            for delivery_id, report_id, attempts in rows
            if report_id in tasks
        ]

    def _take_in(self, timeout: float | None) -> None:
        for future in wait(self._under_way, timeout, FIRST_COMPLETED).done:
            packet = self._under_way.pop(future)
            self._settle(packet.webhook_id, future.result())
        self._host.session.commit()

    def _settle(self, webhook_id: int, result: Result) -> None:
        taken = [tried for tried in result.tried if tried.answer.taken]
        if taken:
            ids, last = [tried.letter.delivery_id for tried in taken], taken[-1]
            done = {"state": ReportState.DELIVERED.value, "problem": "", "code": last.answer.code}
            self._mark(ids, **done, tried_at=last.at, attempts=WebhookDelivery.attempts + 1)
            self._works(webhook_id, last.at)
            self.delivered += len(taken)
        for tried in result.tried:
            if not tried.answer.taken:
                self._not_taken(tried, of_receiver=tried.answer is result.fault)
        if result.fault is not None:
            self._at_fault(webhook_id, result.fault)

    def _not_taken(self, tried: Tried, *, of_receiver: bool) -> None:
        letter, answer = tried.letter, tried.answer
        values = {"attempts": letter.attempts + 1, "tried_at": tried.at, "code": answer.code, "problem": answer.words}
        if of_receiver:
            self._mark([letter.delivery_id], **values)
        elif letter.attempts >= len(WAITS):
            self._mark([letter.delivery_id], **values, state=ReportState.SET_ASIDE.value)
        else:
            self._mark([letter.delivery_id], **values, due_at=tried.at + WAITS[letter.attempts])

    def _works(self, webhook_id: int, at: datetime) -> None:
        working = {"fault": "", "failing_since": None, "rests_until": None, "taken_at": at}
        changed(self._host, update(Webhook).where(Webhook.id == webhook_id).values(**working))

    def _at_fault(self, webhook_id: int, answer: Answer) -> None:
        now, hook = self._host.clock(), self._host.session.get(Webhook, webhook_id, populate_existing=True)
        if hook is None:
            return
        hook.failing_since = hook.failing_since or now
        asked = timedelta(seconds=answer.wait or 0)
        rest = min(max(now - hook.failing_since, FIRST_REST), LONGEST_REST)
        hook.rests_until = now + max(rest, min(asked, LONGEST_ASKED))
        hook.fault = answer.words
        if answer.code == 410 or now - hook.failing_since > PATIENCE:
            hook.active = False
            hook.fault = f"Switched off at {now:%Y-%m-%d %H:%M} UTC. {answer.words}"
        log.warning("Webhook %s did not take an outcome: HTTP %s", webhook_id, answer.code or "without answer")
        self._host.session.flush()

    def _mark(self, delivery_ids: Sequence[int], **values: object) -> None:
        rows = update(WebhookDelivery).where(one_of(WebhookDelivery.id, delivery_ids))
        changed(self._host, rows.values(**values))


def something_due(host: Host) -> bool:
    """Whether a webhook that takes something has something to get."""
    now, delivery = host.clock(), WebhookDelivery
    rested = or_(Webhook.rests_until.is_(None), Webhook.rests_until <= now)
    due = exists().where(delivery.webhook_id == Webhook.id, delivery.state == WAITING, delivery.due_at <= now)
    return host.session.scalar(select(Webhook.id).where(Webhook.active, rested, due).limit(1)) is not None


def receiver_of(host: Host, hook: Webhook) -> Receiver:
    """Where a webhook leads. Raises BadRequest where its address may not be used (any more)."""
    return receiver(hook.url, host.config.webhook_internal_hosts)


def keys_of(host: Host, hook: Webhook) -> list[bytes]:
    """The keys to sign with: its secret, and for a while the former one."""
    former = hook.former_secret if hook.former_until and hook.former_until > host.clock() else None
    return [key_of(secret) for secret in (hook.secret, former) if secret]


def _forget_old(host: Host) -> None:
    """What was taken long ago, or set aside, leaves the log; some at each turn. Commits."""
    before = host.clock() - timedelta(days=host.config.webhook_log_days)
    for webhook_id in host.session.scalars(select(Webhook.id)).all():
        own = WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.state != ReportState.WAITING.value
        oldest = select(WebhookDelivery.id, WebhookDelivery.tried_at, WebhookDelivery.due_at).where(*own)
        rows = host.session.execute(oldest.order_by(WebhookDelivery.id).limit(FORGOTTEN_AT_ONCE))
        old = [delivery_id for delivery_id, tried_at, due_at in rows if (tried_at or due_at) < before]
        if old:
            changed(host, delete(WebhookDelivery).where(one_of(WebhookDelivery.id, old)))
    host.session.commit()

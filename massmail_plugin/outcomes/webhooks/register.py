"""The webhooks people keep: made, changed, switched, deleted; their secrets and what could not be delivered.

Screens and commands enter and commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import Webhook, WebhookDelivery
from massmail_plugin.outcomes.webhooks.receivers import receiver
from massmail_plugin.outcomes.webhooks.signing import fresh_secret, key_of
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import Outcome, ReportState

CHANGE_OVER = timedelta(hours=24)
"""So long both secrets sign."""


@dataclass(frozen=True, kw_only=True)
class WebhookDraft:
    """What a person entered. No outcomes means all of them; without a secret one is made, or the present one stays."""

    name: str
    url: str
    outcomes: Sequence[str] = ()
    secret: str = field(default="", repr=False)


def register(host: Host, draft: WebhookDraft) -> Webhook:
    """A new webhook, switched on. Raises BadRequest for a taken name, an address that may not be used, or a secret
    that is none."""
    hook = Webhook(created_at=host.clock(), active=True, secret=draft.secret or fresh_secret())
    _fill_in(host, hook, draft)
    host.session.add(hook)
    host.session.flush()
    return hook


def change(host: Host, hook: Webhook, draft: WebhookDraft) -> None:
    """Change a webhook. A new address gets a new secret, so that what is signed for one place is not known at another.

    Raises as `register` does.
    """
    moved = draft.url != hook.url
    _fill_in(host, hook, draft)
    if draft.secret:
        _replace_secret(host, hook, draft.secret)
    elif moved:
        hook.secret, hook.former_secret, hook.former_until = fresh_secret(), None, None
    _begin_anew(hook)
    host.session.flush()


def new_secret(host: Host, hook: Webhook) -> str:
    """Give it a new secret; for 24 hours everything is signed with both."""
    made = fresh_secret()
    _replace_secret(host, hook, made)
    host.session.flush()
    return made


def switch(host: Host, hook: Webhook, *, on: bool) -> None:
    """Switch it on or off. While it is off nothing is kept for it; what waited before goes on when it is on again."""
    hook.active = on
    _begin_anew(hook)
    host.session.flush()


def delete(host: Host, hook: Webhook) -> None:
    """Delete it with its log; what waits is never sent."""
    changed(host, delete_rows(WebhookDelivery).where(WebhookDelivery.webhook_id == hook.id))
    host.session.delete(hook)
    host.session.flush()


def retry(host: Host, hook: Webhook, delivery_id: int | None = None) -> int:
    """Make everything that was not taken (or one of them) due now; the number."""
    _begin_anew(hook)
    own = [WebhookDelivery.webhook_id == hook.id, WebhookDelivery.state != ReportState.DELIVERED.value]
    own.append(WebhookDelivery.attempts > 0 if delivery_id is None else WebhookDelivery.id == delivery_id)
    again = {"state": ReportState.WAITING.value, "due_at": host.clock(), "attempts": 0}
    host.session.flush()
    return changed(host, update(WebhookDelivery).where(*own).values(**again))


def _begin_anew(hook: Webhook) -> None:
    hook.rests_until = hook.failing_since = None
    hook.fault = ""


def _replace_secret(host: Host, hook: Webhook, secret: str) -> None:
    hook.former_secret, hook.former_until = hook.secret, host.clock() + CHANGE_OVER
    hook.secret = secret


def _fill_in(host: Host, hook: Webhook, draft: WebhookDraft) -> None:
    taken = select(Webhook.id).where(Webhook.name == draft.name, Webhook.id != (hook.id or 0))
    if host.session.scalar(taken) is not None:
        raise BadRequest(f"There is a webhook called “{draft.name}” already.")
    for outcome in draft.outcomes:
        if outcome not in set(Outcome):
            raise BadRequest(f"There is no outcome “{outcome}”. {nearest(outcome, Outcome)}")
    receiver(draft.url, host.config.webhook_internal_hosts)
    if draft.secret:
        key_of(draft.secret)
    hook.name, hook.url, hook.outcomes = draft.name, draft.url, list(draft.outcomes)

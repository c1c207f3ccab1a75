"""The kinds of data that go by their age, one for each field of `Ages`. The run enters; a table with nothing to run."""

from sqlalchemy import exists, func
from sqlalchemy.orm import aliased

from massmail_plugin.models import (
    Event,
    Import,
    ImportPart,
    OptOutReason,
    Received,
    ReleasedSuppression,
    SignUp,
    Subscription,
    SubscriptionEvent,
)
from massmail_plugin.upkeep.retention.messages import Messages
from massmail_plugin.upkeep.retention.rows import Kind, Rows
from massmail_plugin.vocabulary import FORGOTTEN, GONE, EventKind, SignUpState, SubscriptionState

_CONFIRMED = SignUpState.CONFIRMED.value
_later = aliased(SubscriptionEvent)
_WISHES = (EventKind.OPT_OUT.value, EventKind.OPT_BACK_IN.value)
"""What these say is which lists it was about."""

KINDS: tuple[Kind, ...] = (
    Messages(),
    Rows(
        name="event_details",
        label="Details of opens, clicks and answers",
        key=Event.id,
        at=Event.at,
        only=(Event.request != FORGOTTEN) & Event.kind.not_in(_WISHES),
        values={"user_agent": "", "detail": "", "request": FORGOTTEN},
    ),
    Rows(
        name="received_bytes",
        label="Bytes of mails that came in",
        key=Received.id,
        at=Received.at,
        only=Received.raw.is_not(None),
        values={"raw": None},
    ),
    Rows(name="received", label="Mails and provider events that came in", key=Received.id, at=Received.at),
    Rows(
        name="sign_ups",
        label="Confirmed sign-ups of contacts who are off the list again",
        key=SignUp.id,
        at=SignUp.confirmed_at,
        only=(SignUp.state == _CONFIRMED)
        & ~exists().where(
            Subscription.list_id == SignUp.list_id,
            Subscription.contact_source == SignUp.contact_source,
            Subscription.contact_key == SignUp.contact_key,
            Subscription.state == SubscriptionState.SUBSCRIBED.value,
        ),
    ),
    Rows(
        name="open_sign_ups",
        label="Sign-ups that nobody confirmed",
        key=SignUp.id,
        at=SignUp.created_at,
        only=SignUp.state != _CONFIRMED,
    ),
    Rows(
        name="consent_history",
        label="Changes to subscriptions that a later one of the same kind has replaced",
        key=SubscriptionEvent.id,
        at=SubscriptionEvent.at,
        only=exists().where(
            _later.list_id == SubscriptionEvent.list_id,
            _later.contact_source == SubscriptionEvent.contact_source,
            _later.contact_key == SubscriptionEvent.contact_key,
            _later.id > SubscriptionEvent.id,
            # The last time they came stays with the last time they left: by it an undo knows what it may open.
            _later.state == SubscriptionEvent.state,
        ),
    ),
    Rows(
        name="opt_out_reasons",
        label="Who gave which reason for opting out",
        key=OptOutReason.id,
        at=OptOutReason.at,
        only=OptOutReason.contact_key != GONE,
        values={"contact_key": GONE, "comment": "", "message_id": 0},
    ),
    Rows(
        name="released_suppressions",
        label="Suppressions that were released or ended",
        key=ReleasedSuppression.id,
        at=ReleasedSuppression.released_at,
    ),
    Rows(
        name="imports",
        label="Parts of imported files",
        key=Import.id,
        at=func.coalesce(Import.finished_at, Import.created_at),
        parts=ImportPart.import_id,
    ),
)

"""What providers say became of our mails: tied to them by our own tokens, and taken in. Doors enter and commit."""

from massmail_plugin.feedback.provider_events.event_files import read_event_file
from massmail_plugin.feedback.provider_events.feeds import (
    FeedDraft,
    delete_feed,
    events_address,
    feed_by_path,
    feed_problems,
    renew_path,
    save_feed,
)
from massmail_plugin.feedback.provider_events.requests import Reply, take_request
from massmail_plugin.feedback.provider_events.taking import Counted, take_events

__all__ = [
    "Counted",
    "FeedDraft",
    "Reply",
    "delete_feed",
    "events_address",
    "feed_by_path",
    "feed_problems",
    "read_event_file",
    "renew_path",
    "save_feed",
    "take_events",
    "take_request",
]

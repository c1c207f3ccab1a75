"""Parts of an ordinary mail, to be changed one at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from massmail_plugin.channels.email import EmailParts

Mail = Callable[..., EmailParts]


@pytest.fixture(scope="session")
def mail() -> Mail:
    ordinary: dict[str, Any] = {
        "subject": "Spring news",
        "text": "Hello\n",
        "html": "<p>Hello</p>",
        "from_name": "Example Ltd",
        "from_address": "news@crm.example.org",
        "to_name": "Anna Berg",
        "to_address": "anna@example.net",
        "message_id": "17.abcdef@crm.example.org",
        "date": datetime(2026, 3, 14, 9, 30, tzinfo=UTC),
        "list_unsubscribe_url": "https://crm.example.org/m/u/" + "x" * 34,
        "list_id": ("News", "list-3.crm.example.org"),
    }
    return lambda **changed: EmailParts(**{**ordinary, **changed})

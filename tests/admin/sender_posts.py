"""What a browser posts when a sender is saved, and the sender that comes of it."""

from typing import Any

from sqlalchemy import select

from massmail_plugin.models import Sender
from tests.admin.conftest import Catalogue, form_of

SENDERS = "/admin/massmail/senders/"


def form(**values: str) -> dict[str, str]:
    return {
        "name": "News",
        "provider": "smtp",
        "host": "127.0.0.1",
        "port": "25",
        "security": "none",
        "auth": "auto",
        "username": "",
        "from_address": "news@example.org",
        **values,
    }


def save(built: Catalogue, path: str = "new", **values: str) -> Any:
    client = built.client()
    return client.post(SENDERS + path, data={**form_of(client.get(SENDERS + path).text), **form(**values)})


def only(built: Catalogue) -> Sender:
    built.host.session.expire_all()
    return built.host.session.scalars(select(Sender)).one()

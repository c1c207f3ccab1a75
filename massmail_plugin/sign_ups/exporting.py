"""The sign-ups of a list as a table: who agreed when, from where, to which words. Screens and CLI enter.

Reads only, each page in a transaction of its own (the session is rolled back), so that a long download holds nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from massmail_plugin.audience.contacts.visibility import visible_rows
from massmail_plugin.audience.exporting import Export
from massmail_plugin.contracts import Host
from massmail_plugin.models import ConsentText, SignUp
from massmail_plugin.sign_ups.form import source_of_visitors

PAGE = 500
COLUMNS = (
    "address",
    "state",
    "signed up at",
    "from",
    "language",
    "version of the words",
    "words",
    "mails that asked",
    "confirmed at",
    "confirmed from",
    "contact source",
    "contact key",
)


def shown(host: Host) -> ColumnElement[bool]:
    """True for the sign-ups that whoever looks may see: not of contacts that are hidden from them."""
    return or_(SignUp.contact_key.is_(None), visible_rows(host, SignUp.contact_source, SignUp.contact_key))


def sign_up_export(host: Host, list_id: int) -> Export:
    """Every sign-up for a list, oldest first; the host's own questions are the last columns."""
    asked = [question.name for question in source_of_visitors(host).sign_up]
    wanted: list[Any] = [
        SignUp.id,
        SignUp.address,
        SignUp.state,
        SignUp.created_at,
        SignUp.origin,
        SignUp.locale,
        ConsentText.number,
        ConsentText.words,
        SignUp.times_asked,
        SignUp.confirmed_at,
        SignUp.confirmed_from,
        SignUp.contact_source,
        SignUp.contact_key,
        SignUp.values,
    ]
    query = (
        select(*wanted)
        .outerjoin(ConsentText, ConsentText.id == SignUp.consent_text_id)
        .where(SignUp.list_id == list_id, shown(host))
        .order_by(SignUp.id)
        .limit(PAGE)
    )
    return Export([*COLUMNS, *asked], _rows(host, query, asked))


def _rows(host: Host, query: Select[Any], asked: Sequence[str]) -> Iterator[Sequence[Any]]:
    after = 0
    while page := _page(host, query.where(SignUp.id > after)):
        for row in page:
            yield [*row[1:-1], *(row[-1].get(name, "") for name in asked)]
        after = page[-1][0]


def _page(host: Host, query: Select[Any]) -> Sequence[Any]:
    host.session.rollback()
    host.session.connection(execution_options={"sqlite_deferred": True})
    return host.session.execute(query).all()

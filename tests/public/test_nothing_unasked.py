"""Over every public address: nothing changes that a person did not ask for.

Looking changes nothing, whoever looks. What is said twice counts once. After the person was erased, and with any
character of a token altered, nothing can be said at all.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massmail_plugin import opt_out
from massmail_plugin.models import Base, List, Sender, SignUp
from massmail_plugin.sign_ups import Form, form_of
from massmail_plugin.signed_links.sign_up_links import confirm_token, form_token
from massmail_plugin.translations import words_in
from massmail_plugin.upkeep.privacy import erase, person_of
from tests.public.mailed_host import ANN, MailedHost, mailed_host

LOOKS: list[dict[str, Any]] = [
    {"method": "GET"},
    {"method": "HEAD"},
    {"method": "OPTIONS"},
    {"method": "GET", "headers": {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"}},
    {"method": "GET", "headers": {"X-HTTP-Method-Override": "POST", "X-Forwarded-Method": "POST"}},
    {"method": "GET", "query_string": {"List-Unsubscribe": "One-Click", "stop": "everything", "act": "stop"}},
    {"method": "GET", "query_string": {"_method": "POST", "address": "ann@example.org", "email": "new@example.org"}},
]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass
class Public:
    """A host with one sign-up that waits, and tokens for all its public addresses."""

    mailed: MailedHost
    client: FlaskClient
    form: Form
    sign_up: str
    """The token that confirms."""

    @property
    def addresses(self) -> dict[str, str]:
        """Endpoint -> address, of every rule that is mounted; a rule that is not known here fails."""
        token = self.mailed.token(ANN)
        values = {
            "token": lambda endpoint: self._token(endpoint, token),
            "number": lambda _: 1,
            "path": lambda _: "x" * 43,
        }
        adapter = self.mailed.app.url_map.bind("localhost")
        rules = [one for one in self.mailed.app.url_map.iter_rules() if one.endpoint.startswith("massmail_public.")]
        return {
            rule.endpoint.partition(".")[2]: adapter.build(
                rule.endpoint, {name: values[name](rule.endpoint) for name in rule.arguments}
            )
            for rule in rules
        }

    def _token(self, endpoint: str, of_mail: str) -> str:
        if "confirm" in endpoint:
            return self.sign_up
        return self.form.token if "sign" in endpoint else of_mail

    def said(self) -> list[tuple[str, str, dict[str, str]]]:
        """Everything that may be said: endpoint, address, form. In this order each changes something."""
        news = str(self.mailed.list_id("news"))
        forms: list[tuple[str, dict[str, str]]] = [
            ("opt_out_post", {"stop": "these"}),
            ("opt_out_post", {"stop": "everything"}),
            ("undo_post", {"undo": "everything"}),
            ("undo_post", {"undo": "these"}),
            ("opt_out_post", ONE_CLICK),
            ("why_post", {"reason": "too_many", "comment": "Every day!"}),
            ("preferences_post", {"act": "save", "list": news, "days": "7", "pause": "1"}),
            ("preferences_post", {"act": "save", "list": news, "days": "0", "pause": ""}),
            ("preferences_post", {"act": "stop"}),
            ("lost_link_post", {"address": "eve@example.org"}),
            ("sign_up_post", {"email": "new@example.org", "shown": self.form.shown, "meant": "typed"}),
            ("confirm_post", {}),
            ("events", {"event": "unsubscribe", "email": "ann@example.org"}),
        ]
        addresses = self.addresses
        return [(endpoint, addresses[endpoint], form) for endpoint, form in forms]

    def post(self, address: str, form: dict[str, str]) -> bool:
        """Whether it changed anything."""
        before = self.snapshot()
        assert self.client.post(address, data=form).status_code < 500
        return self.snapshot() != before

    def snapshot(self) -> dict[str, list[Any]]:
        """All rows of all tables, the host's too."""
        session = self.mailed.host.session
        session.rollback()
        tables = [*Base.metadata.sorted_tables, *self.mailed.host.db.Model.metadata.sorted_tables]
        found = {table.name: sorted(map(repr, session.execute(table.select()))) for table in tables}
        session.rollback()
        return found


@pytest.fixture
def public() -> Iterator[Public]:
    app = Flask("public")
    mailed = mailed_host(app)
    with app.app_context():
        session, now = mailed.host.session, mailed.host.clock()
        events = session.get_one(List, mailed.list_id("events"))
        events.sign_up = True
        session.add(Sender(name="Post", provider="recording", from_address="us@example.org", created_at=now))
        waiting = {"address": "may@example.org", "locale": "en", "created_at": now, "due_at": now + timedelta(days=2)}
        signed_up = SignUp(list_id=events.id, **waiting)
        session.add(signed_up)
        session.commit()
        config = mailed.host.config
        form = form_of(mailed.host, form_token(config, events.id), words_in([], config), organisation="Fernhill")
        yield Public(mailed, app.test_client(), form, confirm_token(config, signed_up.id))


def test_looking_changes_nothing(public: Public) -> None:
    for out in (False, True):
        if out:
            opt_out.leave(public.mailed.host, public.mailed.message(ANN).id, everything=True)
            public.mailed.host.session.commit()
        before = public.snapshot()
        for address in set(public.addresses.values()):
            for look in LOOKS:
                assert public.client.open(address, **look).status_code < 500
        assert public.snapshot() == before


def test_there_is_something_to_be_said_at_every_address_that_takes_a_post(public: Public) -> None:
    taking = {
        rule.endpoint.partition(".")[2]
        for rule in public.mailed.app.url_map.iter_rules()
        if rule.endpoint.startswith("massmail_public.") and "POST" in (rule.methods or ())
    }
    assert taking == {endpoint for endpoint, _, _ in public.said()}


def test_what_is_said_twice_counts_once(public: Public) -> None:
    """Pressed twice, loaded again, sent again by a network that was not sure."""
    counted = {}
    for endpoint, address, form in public.said():
        counted[endpoint, *form.values()] = [public.post(address, form) for _ in range(3)]
    # Events of a provider come with a signature; a form that was just shown is too quick for a person.
    silent = {place for place, changes in counted.items() if not changes[0]}
    assert {endpoint for endpoint, *_ in silent} == {"sign_up_post", "events"}
    assert not any(change for changes in counted.values() for change in changes[1:])


def test_after_the_person_was_erased_nobody_can_say_anything_for_them(public: Public) -> None:
    said = [one for one in public.said() if one[0] not in ("lost_link_post", "sign_up_post", "confirm_post")]
    host = public.mailed.host
    erase(host, person_of(host, ANN), by="Ada")
    host.session.commit()
    for _ in range(2):
        assert [endpoint for endpoint, address, form in said if public.post(address, form)] == []
    for endpoint, address, form in said:
        if form != ONE_CLICK and endpoint != "events":
            assert "Nothing is sent to you any more" in public.client.post(address, data=form).text


def test_a_token_with_any_character_altered_says_nothing(public: Public) -> None:
    before = public.snapshot()
    for endpoint, address, form in public.said():
        if endpoint in ("lost_link_post", "events"):
            continue
        token = max(address.split("/"), key=len)
        for place, character in enumerate(token):
            for other in {_next(character), character.swapcase()} - {character}:
                altered = address.replace(token, token[:place] + other + token[place + 1 :])
                assert public.client.post(altered, data=form).status_code == 404
    assert public.snapshot() == before


def _next(character: str) -> str:
    alphabet = string.ascii_letters + string.digits + "-_"
    return alphabet[(alphabet.index(character) + 1) % len(alphabet)] if character in alphabet else "A"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    token=st.one_of(
        st.text(max_size=60), st.text(string.ascii_letters + string.digits + "-_", min_size=36, max_size=36)
    )
)
def test_no_other_token_says_anything(public: Public, token: str) -> None:
    before = public.snapshot()
    adapter = public.mailed.app.url_map.bind("localhost")
    for where in ("opt_out_post", "preferences_post", "undo_post", "confirm_post", "sign_up_post"):
        address = adapter.build(f"massmail_public.{where}", {"token": token or "x"})
        assert public.client.post(address, data={"stop": "everything", "act": "stop"}).status_code in (404, 405, 308)
    assert public.snapshot() == before

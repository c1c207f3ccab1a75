"""`flask massmail webhooks read`, `events import` and `suppressions exchange`, as one types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin.models import Event, EventFeed, OutboxMessage
from massmail_plugin.providers import load_event_readers
from massmail_plugin.providers.showing import event_shown
from massmail_plugin.signed_links import mail_token
from tests.cli.conftest import Terminal
from tests.providers.events.genuine import PASSWORD, posted
from tests.providers.events.samples import SAMPLES, TO

Keep = Callable[..., Path]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Keeps a provider's request as a file."""
    folder = tmp_path / "requests"
    folder.mkdir()

    def keep_(name: str, provider: str, payload: Any, **changed: Any) -> Path:
        request = posted(provider if provider != "amazon_ses" else "ses", payload)
        headers = dict(request.headers)
        kept = {
            "provider": provider,
            "content_type": headers.pop("content-type"),
            "headers": headers,
            "body_encoding": "utf8",
            "body": request.body.decode(),
        }
        path = folder / name
        path.write_text(json.dumps({**kept, **changed}))
        return path

    return keep_


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("provider", ["amazon_ses", *sorted(set(SAMPLES) - {"ses"})])
def test_kept_requests_are_read_without_tables_and_without_keys(bare: Terminal, keep: Keep, provider: str) -> None:
    samples = SAMPLES["ses" if provider == "amazon_ses" else provider]
    paths = [str(keep(f"{n}.json", provider, sample.payload)) for n, sample in enumerate(samples)]
    rows = lines(bare.run("webhooks", "read", *paths, "--json", "--no-verify"))
    assert [(row["file"], row["http"]) for row in rows] == [(f"{n}.json", 200) for n in range(len(samples))]
    assert [row["events"][0]["event"] for row in rows] == [sample.word.value for sample in samples]
    said = {True: "permanent", False: "temporary", None: None}
    assert [row["events"][0]["class"] for row in rows] == [said[sample.permanent] for sample in samples]
    assert {row["events"][0]["recipient"] for row in rows} == {TO}
    assert set(rows[0]["events"][0]) >= {"event", "recipient", "provider_message_id", "timestamp", "class"}


def test_without_a_key_every_request_is_refused_and_with_the_right_one_taken(bare: Terminal, keep: Keep) -> None:
    keep("1.json", "postmark", SAMPLES["postmark"][0].payload)
    folder = str(keep("2.json", "postmark", SAMPLES["postmark"][1].payload, headers={}).parent)
    assert [row["http"] for row in lines(bare.run("webhooks", "read", folder, "--json"))] == [401, 401]
    rows = lines(bare.run("webhooks", "read", folder, "--json", "--key", f"postmark={PASSWORD}"))
    assert [(row["http"], len(row["events"])) for row in rows] == [(200, 1), (401, 0)]
    assert "2.json" in bare.run("webhooks", "read", folder)


def test_files_that_are_no_requests_are_told_apart(bare: Terminal, keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "noise.json").write_bytes(b"\xff\x00[")
    (tmp_path / "other.json").write_text('{"provider": "nobody", "body": ""}')
    broken = str(keep("broken.json", "sendgrid", [], body_encoding="base64", body="%%"))
    given = [str(tmp_path / "noise.json"), str(tmp_path / "other.json"), broken]
    rows = lines(bare.run("webhooks", "read", *given, "--json", "--no-verify"))
    assert [(row["http"], row["events"]) for row in rows] == [(400, [])] * 3
    assert "There is no provider “nobody”" in rows[1]["problem"]
    assert "PROVIDER=KEY" in bare.run("webhooks", "read", broken, "--key", "sendgrid", code=1)


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_an_export_is_imported_once(terminal: Terminal, message: OutboxMessage, tmp_path: Path, kind: str) -> None:
    host = terminal.host
    token = mail_token(host.config, message.id)
    rows = [
        {"event": "delivered", "email": message.address, "time": "2026-03-01T10:00:00Z", "token": token},
        {"event": "spam complaint", "email": message.address, "time": "2026-03-01T11:00:00Z", "token": token},
        {"event": "bounce", "email": "strange@example.net", "time": "2026-03-01T11:00:00Z", "token": ""},
    ]
    path = tmp_path / f"export.{kind}"
    if kind == "csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]))
    else:
        path.write_text(json.dumps({"events": rows}) if kind == "json" else "\n".join(map(json.dumps, rows)))
    assert terminal.json("events", "import", str(path)) == {"news": 2, "known": 0, "unmatched": 1}
    assert terminal.json("events", "import", str(path)) == {"news": 0, "known": 2, "unmatched": 1}
    kinds = host.session.scalars(select(Event.kind).order_by(Event.at)).all()
    assert kinds == ["delivered", "complaint"]


def test_files_of_other_kinds_are_refused_in_words(terminal: Terminal, tmp_path: Path) -> None:
    for name, content, words in (
        ("mails.mbox", "From x", "bounces import"),
        ("broken.json", "{", "line 1"),
        ("list.json", "[1]", "an event, or a list of events"),
        ("empty.csv", "", "empty"),
    ):
        (tmp_path / name).write_text(content)
        assert words in terminal.run("events", "import", str(tmp_path / name), code=1)


def test_lists_are_exchanged_where_a_feed_says_so(terminal: Terminal) -> None:
    host = terminal.host
    assert "Choose so in the admin" in terminal.run("suppressions", "exchange")
    now = host.clock()
    feed = EventFeed(name="Brevo", provider="brevo", path="p", created_at=now, exchanges=True, api_key="k")
    postal = EventFeed(name="Postal", provider="postal", path="q", created_at=now, exchanges=True)
    host.session.add_all([feed, postal])
    host.session.commit()
    assert "Did you mean “Brevo”?" in terminal.run("suppressions", "exchange", "Bravo", code=1)
    (row,) = terminal.json("suppressions", "exchange", "Postal", code=1)
    assert (row["feed"], "cannot be read by program" in row["fault"]) == ("Postal", True)


def test_what_is_printed_can_be_posted_to_a_feed_of_signed_json() -> None:
    reader = load_event_readers({})["signed_json"]
    for sample in SAMPLES["sendgrid"]:
        (event,) = load_event_readers({})["sendgrid"].read(posted("sendgrid", sample.payload))
        (again,) = reader.read(posted("signed_json", event_shown(event)))
        assert (again.word, again.recipient, again.at, again.meaning) == (
            event.word,
            event.recipient,
            event.at,
            event.meaning,
        )

"""Databases for worlds, made once and copied for each: the sample host with a crowd of contacts beside its own."""

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from flask import Flask
from sqlalchemy import String, cast, insert, make_url, select

from faults.postgres import PostgreSQL
from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.mailings.library import TemplateDraft
from massmail_plugin.mailings.library import save as save_template
from massmail_plugin.models import List, Sender
from massmail_plugin.vocabulary import ConsentWay, TemplateFormat
from sample_host import demo_mailing
from sample_host.app import create_app
from sample_host.config import settings
from sample_host.crm.models import Contact, db
from sample_host.running import close, prepare

CROWD, FEW, HANDFUL, BIG = "Crowd", "Few", "Handful", "Big letter"
FIRST_KEY = 10_001
BIG_PART, BIG_PARTS = 500_000, 8
"""Together far more than the kernel's buffers hold."""


class Mould:
    """A prepared database of one kind; `postgres` None means SQLite. Lists: the crowd, 300 of them, and 40."""

    def __init__(self, folder: Path, postgres: PostgreSQL | None, *, contacts: int) -> None:
        self.folder, self.postgres, self.contacts = folder, postgres, contacts
        folder.mkdir(parents=True, exist_ok=True)
        url = postgres.new_database() if postgres else f"sqlite:///{folder / 'host.sqlite3'}"
        self._url = url
        app = create_app(settings({"MASSMAIL_DEMO_DIR": str(folder), "MASSMAIL_DATABASE_URL": url}))
        prepare(app)
        self._fill(app)
        close(app)

    @property
    def kind(self) -> str:
        return "PostgreSQL" if self.postgres else "SQLite"

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        """The URL of a fresh copy; on PostgreSQL it is dropped afterwards."""
        if self.postgres is None:
            path = folder / "host.sqlite3"
            shutil.copy(self.folder / path.name, path)
            yield f"sqlite:///{path}"
            return
        url = self.postgres.new_database(str(make_url(self._url).database))
        yield url
        self.postgres.drop(url)

    def _fill(self, app: Flask) -> None:
        with app.app_context():
            demo_mailing.load(free_of_listeners())
            host = demo_mailing.host_here()
            db.session.execute(insert(Contact), [person(number) for number in range(self.contacts)])
            for name, number in ((CROWD, self.contacts), (FEW, 300), (HANDFUL, 40)):
                made = List(name=name, public_name=name, description="", created_at=host.clock())
                db.session.add(made)
                keys = select(cast(Contact.id, String)).where(Contact.id.between(FIRST_KEY, FIRST_KEY + number - 1))
                consent.subscribe_selected(
                    host,
                    made,
                    host.source(demo_mailing.SOURCE),
                    keys,
                    proof=Proof(ConsentWay.PERSON, evidence="Fault runs"),
                )
            self._add_big_letter()
            db.session.commit()

    def _add_big_letter(self) -> None:
        words = " ".join(f"{random.getrandbits(64):016x}" for _ in range(BIG_PART // 17))
        lines = "\n".join(words[at : at + 70] for at in range(0, len(words), 70))
        draft = TemplateDraft(
            name=BIG,
            subject="A big letter",
            description="",
            format=TemplateFormat.TEXT.value,
            sender_id=db.session.scalars(select(Sender.id)).one(),
            html="",
            text=f"{{% for part in (1..{BIG_PARTS}) %}}{lines}\n{{% endfor %}}",
        )
        save_template(demo_mailing.host_here(), None, draft, by="the fault runs")


def person(number: int) -> dict[str, object]:
    """A contact of the crowd."""
    return {
        "id": FIRST_KEY + number,
        "account_number": 1_000_000 + number,
        "first_name": f"Nobody{number}",
        "last_name": "Inparticular",
        "email1": address(FIRST_KEY + number),
        "opened_on": date(2020, 1, 1),
    }


def address(key: int) -> str:
    """Where a contact of the crowd gets its mail."""
    return f"nobody{key}@example.com"


def free_of_listeners() -> int:
    """A port where nobody listens: the sender is pointed to the mail server by each world."""
    return 9

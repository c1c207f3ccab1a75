"""The naive way, run as a process: `python -m bench.peers.naive_rq DATABASE_URL REDIS_URL SMTP_PORT`.

What a Flask developer writes first: one RQ job per recipient, which loads the recipient, renders the template, signs
and rewrites the links, builds the message, sends it with smtplib, and commits what became of it. The worker is RQ's
SimpleWorker, which forks nothing.
"""

import hashlib
import hmac
import html as entities
import re
import smtplib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from flask import Flask, current_app, render_template_string
from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy import JSON, String, create_engine, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench import work_item
from bench.children import children, cpu_seconds, together, work_when_told
from bench.findings import BenchFailed, Sample
from bench.sinks import HOST, SmtpSink

JOB = "bench.peers.naive_rq.send_one"
QUEUE = "naive"
BASE = "https://crm.bench.example/m"
KEY = b"a key of thirty-two characters .."
WORKERS = 2
_HREF = re.compile(r'href="(https?://[^"]+)"')
_URL = re.compile(r"https?://\S+")


class Base(DeclarativeBase):
    """The naive application's own tables."""


class Recipient(Base):
    __tablename__ = "naive_recipient"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(20), default="planned", index=True)
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


def send_one(recipient_id: int) -> None:
    """The job."""
    with Session(current_app.extensions["naive_engine"]) as session:
        recipient = session.get_one(Recipient, recipient_id)
        try:
            with smtplib.SMTP(HOST, current_app.config["SMTP_PORT"]) as server:
                server.send_message(message(recipient))
            recipient.status = "sent"
        except (smtplib.SMTPException, OSError) as error:
            recipient.status, recipient.error = "failed", str(error)
        recipient.sent_at = datetime.now(UTC).replace(tzinfo=None)
        session.commit()


def message(recipient: Recipient) -> EmailMessage:
    """The standard work item for one recipient."""
    leave = f"{BASE}/u/{recipient.id}/{signature('u', recipient.id)}"
    values = {"contact": recipient.values, "unsubscribe_url": leave}
    text = render_template_string(work_item.PLAIN.text, **values)
    html = render_template_string(work_item.PLAIN.html, **values)
    made = EmailMessage()
    made["From"] = f"{work_item.SENDER_NAME} <{work_item.SENDER}>"
    made["To"] = recipient.email
    made["Subject"] = render_template_string(work_item.PLAIN.subject, **values)
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain="bench.example")
    made["List-Unsubscribe"], made["List-Unsubscribe-Post"] = f"<{leave}>", "List-Unsubscribe=One-Click"
    made.set_content(_URL.sub(lambda found: tracked(found[0], recipient.id), text))
    made.add_alternative(with_tracking(html, recipient.id), subtype="html")
    return made


def with_tracking(html: str, recipient_id: int) -> str:
    """Links lead through the application, and a pixel is in the end."""
    pixel = f'<img src="{BASE}/o/{recipient_id}/{signature("o", recipient_id)}.gif" width="1" height="1" alt="">'
    linked = _HREF.sub(lambda found: f'href="{tracked(entities.unescape(found[1]), recipient_id)}"', html)
    return linked.replace("</body>", f"{pixel}</body>")


def tracked(url: str, recipient_id: int) -> str:
    """The address that counts a click."""
    if url.startswith(BASE):
        return url
    number = work_item.LINKS.index(url)
    return f"{BASE}/c/{recipient_id}/{number}/{signature(number, recipient_id)}"


def signature(what: object, recipient_id: int) -> str:
    return hmac.new(KEY, f"{what}.{recipient_id}".encode(), hashlib.sha256).hexdigest()[:32]


# --- The contest ---


def run(database_url: str, redis_url: str, sink: SmtpSink, messages: int, folder: Path) -> Sample:
    """So many messages by two workers; the CPU time of putting the jobs into Redis counts as well."""
    _fill(database_url, messages)
    queue = Queue(QUEUE, connection=Redis.from_url(redis_url))
    before, cpu = sink.taken(), cpu_seconds()
    for number in range(1, messages + 1):
        queue.enqueue(JOB, number, result_ttl=0)
    enqueued = (cpu_seconds() - cpu) / messages * 1e6
    words = [database_url, redis_url, str(sink.port)]
    with children("bench.peers.naive_rq", WORKERS, words, log=folder / "naive.log") as workers:
        reached = together(workers.go(), messages)
    _check(database_url, sink.taken() - before, messages)
    return {"rate": reached["rate"], "cpu_us": reached["cpu_us"] + enqueued}


def _fill(database_url: str, messages: int) -> None:
    engine = create_engine(database_url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Recipient), [_row(number) for number in range(1, messages + 1)])
    engine.dispose()


def _row(number: int) -> Mapping[str, Any]:
    values = work_item.person(number)
    return {"id": number, "email": values["email"], "values": values, "status": "planned", "error": ""}


def _check(database_url: str, taken: int, messages: int) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        sent = connection.scalar(select(func.count()).where(Recipient.status == "sent"))
    engine.dispose()
    if not sent == taken == messages:
        raise BenchFailed(f"Naive RQ: {sent} of {messages} rows are sent and {taken} messages arrived.")


def main(database_url: str, redis_url: str, smtp_port: str) -> None:
    """One worker; it ends when the queue is empty."""
    app = Flask("naive")
    app.config["SMTP_PORT"] = int(smtp_port)
    app.extensions["naive_engine"] = create_engine(database_url)
    worker = SimpleWorker([QUEUE], connection=Redis.from_url(redis_url))

    def work() -> Mapping[str, Any]:
        worker.work(burst=True, logging_level="ERROR")
        return {}

    with app.app_context():
        work_when_told(work)


if __name__ == "__main__":
    main(*sys.argv[1:])

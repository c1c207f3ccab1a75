"""Lets django-post-office send the standard work item; run as a process: `python -m ...contest MESSAGES`.

Its mails are rendered when they are delivered, from one template. Its queue is filled beforehand, as our outbox is.
"""

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from sqlalchemy import make_url

from bench import work_item
from bench.children import children, together, work_when_told
from bench.findings import BenchFailed, Sample
from bench.sinks import SmtpSink

PROCESSES = 2
THREADS = 5
AT_ONCE = 1000
BASE = "https://crm.bench.example/m"
_LINK = re.compile(r"https://shop\.bench\.example/[^\"\s<]+")


def run(database_url: str, sink: SmtpSink, messages: int, folder: Path) -> Sample:
    """So many messages by two processes, as one batch."""
    url, before = make_url(database_url), sink.taken()
    environment = {
        "DJANGO_SETTINGS_MODULE": "bench.peers.post_office.settings",
        "BENCH_DATABASE_HOST": str(url.query["host"]),
        "BENCH_DATABASE": str(url.database),
        "BENCH_DATABASE_USER": str(url.username),
        "BENCH_SMTP_PORT": str(sink.port),
        "BENCH_BATCH": str(messages),
        "BENCH_THREADS": str(THREADS),
    }
    log, module = folder / "post_office.log", "bench.peers.post_office.contest"
    with children(module, 1, [str(messages)], log=log, environment=environment) as office:
        said = office.go()
        fill_us = office.ready[0]["fill_us"]
    taken = sink.taken() - before
    if not said[0]["sent"] == taken == messages:
        raise BenchFailed(f"django-post-office: {said[0]['sent']} rows are sent and {taken} messages arrived.")
    return {**together(said, messages), "fill_us": fill_us}


def main(messages: int) -> None:
    """Fill the queue, then send it when told."""
    django.setup()
    call_command("migrate", verbosity=0)
    from post_office.models import STATUS, Email  # noqa: PLC0415 -- Django's models are there after its set-up only

    began = time.monotonic()
    _fill(messages)
    fill_us = (time.monotonic() - began) / messages * 1e6

    def work() -> Mapping[str, Any]:
        call_command("send_queued_mail", processes=PROCESSES, log_level=0)
        return {"sent": Email.objects.filter(status=STATUS.sent).count()}

    work_when_told(work, fill_us=fill_us)


def _fill(messages: int) -> None:
    from post_office import mail  # noqa: PLC0415
    from post_office.models import Email, EmailTemplate  # noqa: PLC0415

    Email.objects.all().delete()
    EmailTemplate.objects.all().delete()
    template = EmailTemplate.objects.create(
        name="bench", subject=work_item.PLAIN.subject, content=_tracked(work_item.PLAIN.text), html_content=_html()
    )
    for batch in _batches(messages):
        mail.send_many([_mail(template, number) for number in batch])


def _batches(messages: int) -> Iterator[range]:
    for first in range(1, messages + 1, AT_ONCE):
        yield range(first, min(first + AT_ONCE, messages + 1))


def _mail(template: Any, number: int) -> dict[str, Any]:
    person = work_item.person(number)
    leave = f"{BASE}/u/{number:032x}"
    return {
        "recipients": [person["email"]],
        "sender": f"{work_item.SENDER_NAME} <{work_item.SENDER}>",
        "template": template,
        "context": {"contact": person, "unsubscribe_url": leave, "token": f"{number:032x}"},
        "headers": {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        "render_on_delivery": True,
        "priority": "medium",
    }


def _html() -> str:
    pixel = f'<img src="{BASE}/o/{{{{ token }}}}.gif" width="1" height="1" alt="">'
    return _tracked(work_item.PLAIN.html).replace("</body>", f"{pixel}</body>")


def _tracked(words: str) -> str:
    """Each link leads to the application; it signs nothing for each recipient, so it has less to do than we."""
    numbers = iter(range(1000))
    return _LINK.sub(lambda found: f"{BASE}/c/{{{{ token }}}}/{next(numbers) % len(work_item.LINKS)}", words)


if __name__ == "__main__":
    # The lock file of send_queued_mail lies in the temporary folder; os.environ names the settings.
    assert os.environ["DJANGO_SETTINGS_MODULE"]
    main(int(sys.argv[1]))

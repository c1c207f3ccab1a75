"""`make demo-once`: does the main job once, as real processes in a fresh folder, and checks every figure.

One mailing goes out; 30 recipients open it, 20 of them click, 10 others unsubscribe by one click. The last line
printed is a JSON object; the exit code is 0 only if the figures agree with the caught mails and the mapping.
"""

import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from massmail_plugin import Outcome
from sample_host import demo_mailing
from sample_host.crm.models import Contact, db
from sample_host.demo import stop
from sample_host.mailing import STATUSES
from sample_host.reachable import NoPortFree, wait_until
from sample_host.recipients import BrokenMail, Letter, follow_link, letters_in, show_pictures, unsubscribe
from sample_host.running import CannotRun, Running, asked, running, wait
from sample_host.services.child_process import ServiceFailed, ServiceMissing

OPEN, CLICK, REMOVE = 30, 20, 10
# Nobody needs to know the ports; several runs at once must not meet there.
PORTS = range(20_000, 32_000)
SECONDS_TO_SEND = 300.0
SECONDS_TO_SETTLE = 120.0


@dataclass(frozen=True)
class Acts:
    """Which letters are opened, which of these clicked in, and which others unsubscribed from."""

    opened: Sequence[Letter]
    clicked: Sequence[Letter]
    removed: Sequence[Letter]


def main() -> int:
    """Runs it all and returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    with tempfile.TemporaryDirectory(prefix="massmail-once-") as name:
        try:
            with running(Path(name), *random.sample(PORTS, 2)) as demo:
                figures, faults = run(demo)
        except (BrokenMail, CannotRun, NoPortFree, ServiceFailed, ServiceMissing) as problem:
            print(problem, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    for fault in faults:
        print(fault, file=sys.stderr)
    print(json.dumps(figures), flush=True)
    return 1 if faults else 0


def run(demo: Running) -> tuple[dict[str, Any], list[str]]:
    """Sends, plays the recipients, waits for the statuses; returns the figures and what is wrong with them."""
    started = time.monotonic()
    with demo.app.app_context():
        before = statuses_by_contact()
        mailing = demo_mailing.launch("The autumn catalogue", demo_mailing.CATALOGUE, demo_mailing.EVERYBODY)
    say(started, "The mailing is on its way.")
    wait(demo, lambda: demo_mailing.progress(mailing).finished, SECONDS_TO_SEND, "The mailing did not finish")
    letters = letters_in(demo.folder / "caught")
    say(started, f"{len(letters)} mails were caught.")
    with demo.app.app_context():
        results = demo_mailing.results(mailing)
    acts = choose(letters, results[Outcome.SENT])
    play(acts)
    say(started, f"{OPEN} were opened, {CLICK} of them clicked in, and {REMOVE} others unsubscribed from.")
    expected = Counter(expected_statuses(before, results, acts).values())
    settled = wait_until(asked(demo.app, lambda: status_counts() == expected), SECONDS_TO_SETTLE, demo.check)
    say(started, "The statuses are set." if settled else "The statuses are not what they should be.")
    with demo.app.app_context():
        figures = figures_of(mailing, letters)
    return figures, faults_of(figures, expected)


def say(started: float, what: str) -> None:
    """One line for whoever watches, with the seconds since the start."""
    print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)


def choose(letters: Sequence[Letter], contacts: Mapping[str, int]) -> Acts:
    """The first people with tracked mail open theirs, the next ones unsubscribe; `contacts` says who is behind an
    address.
    """
    people = list({contacts.get(letter.rcpt_to): letter for letter in letters if letter.pixel}.values())
    if len(people) < OPEN + REMOVE:
        raise CannotRun(f"Tracked mails to {len(people)} people were caught; at least {OPEN + REMOVE} are needed.")
    return Acts(people[:OPEN], people[:CLICK], people[OPEN : OPEN + REMOVE])


def play(acts: Acts) -> None:
    """The recipients act, a few at a time; each opens before clicking."""
    with ThreadPoolExecutor(4) as people:
        for act, letters in ((show_pictures, acts.opened), (follow_link, acts.clicked), (unsubscribe, acts.removed)):
            list(people.map(act, letters))


def statuses_by_contact() -> dict[int, str]:
    """Every contact's status."""
    return {row.id: row.status for row in db.session.execute(select(Contact.id, Contact.status))}


def status_counts() -> Counter[str]:
    """The number of contacts in every status that has any."""
    query = select(Contact.status, func.count().label("contacts")).group_by(Contact.status)
    return Counter({row.status: row.contacts for row in db.session.execute(query)})


def expected_statuses(
    before: Mapping[int, str], results: Mapping[Outcome, Mapping[str, int]], acts: Acts
) -> dict[int, str]:
    """What each contact's status must be: the mapping of the strongest thing that happened, else unchanged.

    `results` gives, for what became of the mails, the contact behind each address.
    """
    sent = results[Outcome.SENT]
    happened: list[tuple[Outcome, Iterable[int]]] = [
        (Outcome.SENT, sent.values()),
        (Outcome.FAILED, results[Outcome.FAILED].values()),
        (Outcome.READ, (sent[letter.rcpt_to] for letter in acts.opened)),
        (Outcome.CLICKED, (sent[letter.rcpt_to] for letter in acts.clicked)),
        (Outcome.REMOVED, (sent[letter.rcpt_to] for letter in acts.removed)),
    ]
    after = dict(before)
    for outcome, contacts in happened:
        after.update(dict.fromkeys(contacts, STATUSES[outcome]))
    return after


def figures_of(mailing: int, letters: Sequence[Letter]) -> dict[str, Any]:
    """What the database, the catcher and the CRM say, each counted for itself."""
    progress = demo_mailing.progress(mailing)
    return {
        "contacts": sum(status_counts().values()),
        "planned": progress.planned,
        "skipped": progress.skipped,
        "sent": progress.sent,
        "failed": progress.failed,
        "caught": len(letters),
        "distinct": len({letter.message_id for letter in letters}),
        "read": demo_mailing.happened(mailing, Outcome.READ),
        "clicked": demo_mailing.happened(mailing, Outcome.CLICKED),
        "removed": demo_mailing.happened(mailing, Outcome.REMOVED),
        "statuses": dict(sorted(status_counts().items())),
    }


def faults_of(figures: Mapping[str, Any], expected: Counter[str]) -> list[str]:
    """Everything that does not agree, in words."""
    wanted = {
        "planned": figures["skipped"] + figures["sent"] + figures["failed"],
        "caught": figures["sent"],
        "distinct": figures["sent"],
        "read": OPEN,
        "clicked": CLICK,
        "removed": REMOVE,
        "statuses": dict(sorted(expected.items())),
    }
    return [
        f"{name}: {figures[name]}, but should be {value}" for name, value in wanted.items() if figures[name] != value
    ]


if __name__ == "__main__":
    sys.exit(main())

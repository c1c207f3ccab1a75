"""A mailing whose rows and events the tests move about, and its numbers counted by hand from the rows."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import statistics
from massmail_plugin.models import BREAKDOWN_COUNTS, Breakdown, Chunk, Event, Link, Mailing, OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import EventKind, MailingState, MessageState
from tests.consent.small_host import Clock, add_list, clock, running_host

CHUNKS, EACH = 4, 5
DOMAINS = ("gmail.example", "web.example", "ÜBER.example", "tiny.example")
FINAL = (MessageState.SENT, MessageState.REFUSED, MessageState.UNCERTAIN, MessageState.SKIPPED, MessageState.CANCELLED)


class Run:
    """A mailing of 20 rows in 4 chunks, with two links; what a test does to it is committed at once."""

    def __init__(self, host: Host, seed: int = 1, name: str = "Spring") -> None:
        self.host, self.chance = host, random.Random(seed)
        now = host.clock()
        lists = [add_list(host, f"{name} {number}").id for number in range(2)]
        self.mailing = Mailing(
            name=name,
            state=MailingState.SENDING.value,
            contact_source="person",
            address_roles=[],
            created_at=now,
            launched_at=now,
        )
        host.session.add(self.mailing)
        host.session.flush()
        self.id = self.mailing.id
        self.links = [
            Link(mailing_id=self.id, number=n, target=f"https://x.example/{n}", label=f"L{n}") for n in (1, 2)
        ]
        rows = [self._row(chunk, number, lists) for chunk in range(CHUNKS) for number in range(EACH)]
        host.session.add_all([*self.links, *rows, *(Chunk(mailing_id=self.id, number=n) for n in range(CHUNKS))])
        host.session.flush()
        outbox.recount(host, self.id)
        host.session.commit()
        self.ids = [row.id for row in rows]

    def _row(self, chunk: int, number: int, lists: Sequence[int]) -> OutboxMessage:
        key = f"{chunk}-{number}"
        return OutboxMessage(
            mailing_id=self.id,
            chunk=chunk,
            contact_source="person",
            contact_key=key,
            address_role="main",
            address=f"p{key}@{self.chance.choice(DOMAINS)}" if number else "",
            list_id=self.chance.choice([*lists, None]),
            due_at=self.host.clock(),
        )

    def settle(self, *chunks: int, states: Sequence[MessageState] = FINAL) -> None:
        """The rows of these chunks (all, where none is named) come to states by chance."""
        rows = self.host.session.query(OutboxMessage).filter_by(mailing_id=self.id)
        for row in rows.filter(OutboxMessage.chunk.in_(chunks or range(CHUNKS))):
            state = self.chance.choice(states)
            row.state, row.settled_at, row.handed_at = state.value, self.host.clock(), self.host.clock()
            row.reason = self.chance.choice(["gave_up", "opted_out", ""]) if state in FINAL else ""
            row.due_at = self.host.clock() + timedelta(hours=1) if state is MessageState.DEFERRED else None
        self.host.session.flush()
        outbox.recount(self.host, self.id)
        self.host.session.commit()

    def happens(self, number: int = 1, **values: Any) -> None:
        """Events by chance."""
        keep_events(self.host, [self._event(values) for _ in range(number)])
        self.host.session.commit()

    def _event(self, values: dict[str, Any]) -> NewEvent:
        kind = self.chance.choice(list(EventKind))
        given: dict[str, Any] = {
            "message_id": self.chance.choice(self.ids),
            "kind": kind,
            "at": self.host.clock() + timedelta(minutes=self.chance.randrange(-200, 200)),
            "machine_reason": self.chance.choice(["", "", "proxy", "robot"]) if kind in ("open", "click") else "",
        }
        given |= values
        if given["kind"] is EventKind.CLICK:
            given.setdefault("link_id", self.chance.choice(self.links).id)
        return NewEvent(**given)

    def catch_up(self) -> int:
        return statistics.catch_up(self.host, seconds=60, settling=timedelta(0))

    def differences(self) -> list[statistics.Difference]:
        self.host.session.expire_all()
        return statistics.differences(self.host, self.id)

    def kept(self) -> dict[tuple[str, str], dict[str, int]]:
        """The breakdown as it is kept, without zeros."""
        rows = self.host.session.query(Breakdown).filter_by(mailing_id=self.id)
        found = {(row.by, row.name): _some({n: getattr(row, n) for n in BREAKDOWN_COUNTS}) for row in rows}
        return {key: counts for key, counts in found.items() if counts}

    def by_hand(self, *, but_chunks: Sequence[int] = ()) -> dict[tuple[str, str], dict[str, int]]:
        """The same, counted in the plainest way."""
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for row in self.host.session.query(OutboxMessage).filter_by(mailing_id=self.id):
            if row.chunk in but_chunks:
                continue
            names = [("all", ""), ("domain", row.address.partition("@")[2].lower()), ("list", str(row.list_id or ""))]
            names += [("reason", f"{row.state}:{row.reason}")] if row.state in ("refused", "skipped") else []
            for name in names:
                found[name].update(_of_state(row.state))
                found[name].update(self._of_events(row.id))
        return {name: _some(counts) for name, counts in found.items()}

    def _of_events(self, message_id: int) -> Counter[str]:
        every = self.host.session.query(Event).filter_by(message_id=message_id).all()
        people = [one.kind for one in every if not one.by_machine]
        machines = [one for one in every if one.by_machine and one.kind in ("open", "click")]
        true = {
            "read": {"open", "click", "reply"} & set(people),
            "clicked": "click" in people,
            "replied": "reply" in people,
            "bounced": "bounce" in people,
            "complained": "complaint" in people,
            "removed": people.count("opt_out") > people.count("opt_back_in"),
            "proxied": [one for one in machines if one.machine_reason == "proxy"],
            "scanned": [one for one in machines if one.machine_reason != "proxy"],
        }
        counts = Counter({name: 1 for name, it in true.items() if it})
        counts.update(hits=len(people), machine_hits=len(every) - len(people))
        return counts


def _of_state(state: str) -> Counter[str]:
    name = "waiting" if state in ("planned", "deferred") else state
    return Counter({name: 1, "recipients": int(state != "skipped")})


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number}


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        yield host


@pytest.fixture
def run(host: Host) -> Run:
    return Run(host)


def hands(host: Host) -> Clock:
    return clock(host)

"""What the live panel of a mailing says: bar, tiles, notices, and the words spoken at milestones. Pure; reads only."""

from dataclasses import dataclass
from datetime import datetime

from massmail_plugin.admin.frame import wording
from massmail_plugin.contracts import Host, QueueState
from massmail_plugin.mailings import Progress, Responses, Which, progress, slowness
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import HoldReason, MailingState

FINAL = (MailingState.FINISHED.value, MailingState.CANCELLED.value)
ON_ITS_WAY = (MailingState.FILLING.value, MailingState.SENDING.value)
RETRYABLE = (MailingState.PAUSED.value, MailingState.FINISHED.value)
MILESTONES = (75, 50, 25)
UNASKED = QueueState(True, 0, 0)
"""For screens that do not speak of the workers."""
UNCERTAIN = "handed over, but the server's answer never came. Whether they arrived is uncertain."
WHAT_TO_DO = {
    HoldReason.LATE.value: "",
    HoldReason.CRASHED.value: (
        "Look into the worker's log: a hook of the application, an attachment or too little memory may be the cause. "
        "Settle it, then resume; cancel if it cannot be settled."
    ),
}


@dataclass(frozen=True)
class Tile:
    """One number; `which` names the people behind it (None: nobody in particular). `share` is of the mails sent."""

    label: str
    value: int
    which: Which | None = None
    share: str = ""


@dataclass(frozen=True)
class Notice:
    """Something to say loudly: tone, title and words."""

    tone: str
    title: str
    words: str


@dataclass(frozen=True)
class Panel:
    """Everything the panel shows at one moment."""

    state: str
    progress: Progress
    at: datetime

    @property
    def live(self) -> bool:
        return self.state not in FINAL

    @property
    def seconds(self) -> int:
        """How often to look again."""
        return 2 if self.state in ON_ITS_WAY else 5

    @property
    def gone(self) -> int:
        """Mails that were handed over or given up: what the bar counts."""
        return self.progress.done - self.progress.counts.cancelled

    @property
    def total(self) -> int:
        return self.progress.counts.recipients

    @property
    def percent(self) -> int:
        return 100 * self.gone // self.total if self.total else 0

    @property
    def bar(self) -> str:
        if not self.total:
            return "Nobody yet" if self.live else "Nobody was written to"
        return f"{self.gone:,} of {self.total:,} · {self.percent} %"

    @property
    def failed(self) -> int:
        """Failed mails that can be tried again now."""
        return self.progress.counts.refused if self.state in RETRYABLE else 0

    @property
    def seen(self) -> str:
        """Names what the buttons depend on: they are drawn anew only when this changes."""
        return f"{self.state}-{self.failed}"

    @property
    def spoken(self) -> str:
        """Said aloud when it changes: the state, and every quarter."""
        word = wording.MAILING_STATES[MailingState(self.state)].label
        reached = next((mark for mark in MILESTONES if self.percent >= mark), 0)
        return f"{word}, {reached} percent done" if reached and self.state in ON_ITS_WAY else word


def panel(host: Host, mailing: Mailing, queue: QueueState = UNASKED) -> Panel:
    """The panel now. Reads chunks and indexed events, never the outbox."""
    return Panel(mailing.state, progress(host, mailing, queue=queue), host.clock())


def tiles(now: Panel) -> list[Tile]:
    """The numbers; those that are rarely above zero show only then."""
    counts, responses = now.progress.counts, now.progress.responses
    every = [
        Tile("Total", now.total, Which.TOTAL),
        Tile("To send", counts.waiting, Which.WAITING),
        Tile("Sent", counts.sent, Which.SENT),
        Tile("Failed", counts.refused, Which.FAILED),
        Tile("Skipped", counts.skipped, Which.SKIPPED),
        Tile("Uncertain", counts.uncertain, Which.UNCERTAIN),
        Tile("Cancelled", counts.cancelled, Which.CANCELLED),
        Tile("Read", responses.read, Which.READ, _share(responses.read, counts.sent)),
        Tile("Clicked", responses.clicked, Which.CLICKED, _share(responses.clicked, counts.sent)),
        Tile("Replied", responses.replied, Which.REPLIED),
        Tile("Removed", responses.removed, Which.REMOVED, _share(responses.removed, counts.sent)),
        Tile("Bounced", responses.bounced, Which.BOUNCED, _share(responses.bounced, counts.sent)),
        Tile("Complained", responses.complained, Which.COMPLAINED),
    ]
    rare = {Which.CANCELLED, Which.REPLIED, Which.COMPLAINED}
    return [tile for tile in every if tile.value or tile.which not in rare]


def _share(number: int, sent: int) -> str:
    """So many percent, with a decimal where they are few."""
    if not number or not sent:
        return ""
    percent = 100 * number / sent
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def notices(host: Host, mailing: Mailing, now: Panel) -> list[Notice]:
    """What holds it up, to be said loudly."""
    if now.state == MailingState.PAUSED.value:
        return [_paused(mailing)]
    fault = now.progress.sender_fault
    if fault and now.state in ON_ITS_WAY and now.progress.counts.waiting:
        return [Notice("bad", "The sender does not work at the moment", f"{fault} {_waits(mailing)}")]
    if now.state == MailingState.SENDING.value and now.progress.counts.waiting:
        slow = slowness(host, mailing)
        return [Notice("waiting", "It goes slowly", " ".join(slow))] if slow else []
    return []


def notes(now: Panel, mailing: Mailing, *, dry_run: bool = False) -> list[str]:
    """What is worth knowing about the numbers."""
    counts = now.progress.counts
    found = [
        (counts.deferred if now.live else 0, "put off by the receiving server; this is tried again by itself."),
        (counts.uncertain, UNCERTAIN),
    ]
    lines = [f"{_mails(number)} {words}" for number, words in found if number]
    lines += _programs(now.progress.responses)
    if dry_run:
        lines.insert(0, "This is a dry run: what counts as sent has reached nobody.")
    if not mailing.tracking:
        lines.append("Opens and clicks are not followed in this mailing.")
    if not mailing.retries:
        lines.append("What the receiving server puts off counts as failed and is not tried again by itself.")
    return lines


def _programs(responses: Responses) -> list[str]:
    """What was not people."""
    opens, clicks = responses.machine_opens, responses.machine_clicks
    did = [f"opened mails {_times(opens)}"] if opens else []
    did += [f"followed links {_times(clicks)}"] if clicks else []
    return [f"Mail programs and scanners {' and '.join(did)}; these are not people and not counted."] if did else []


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _mails(number: int) -> str:
    return "1 mail was" if number == 1 else f"{number:,} mails were"


def _paused(mailing: Mailing) -> Notice:
    held = mailing.hold_reason
    if held == HoldReason.BY_PERSON.value:
        return Notice("warning", "Paused", f"{mailing.hold_note} Nothing leaves until somebody resumes it.".strip())
    title = f"Paused: {wording.reason(held)}" if held else "Paused"
    what_to_do = WHAT_TO_DO.get(held, "The mails wait; resume when this is settled.")
    return Notice("bad", title, f"{mailing.hold_note} {what_to_do}".strip())


def _waits(mailing: Mailing) -> str:
    until = mailing.sender.fault_until if mailing.sender else None
    again = f" It is tried again at {until:%H:%M} UTC." if until else " It is tried again by itself."
    return "The mails wait and none is lost." + again

"""The mail server drops, refuses, lies and crawls, step by step. One world serves them all."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from faults.mould import BIG, CROWD, FEW, FIRST_KEY, HANDFUL, address
from faults.run import Run, fault
from faults.script import Rule, Step
from faults.sink import EXTENSIONS
from faults.world import World
from massmail_plugin import mailings
from massmail_plugin.models import Mailing, OutboxMessage, Suppression
from massmail_plugin.vocabulary import HoldReason, MailingState
from sample_host.crm.models import db

STEPS: tuple[Step, ...] = ("connect", "ehlo", "mail", "rcpt", "data", "dot", "quit")
VICTIM = address(FIRST_KEY + 7)


@dataclass(frozen=True)
class Mischief:
    """What the server does, and what must come of it: everything sent, with at most so many uncertain."""

    about: str
    rules: tuple[Rule, ...]
    uncertain: int = 0
    refused: int = 0
    extensions: tuple[str, ...] | None = None
    list_name: str = FEW
    template: str | None = None


def drops() -> Iterable[tuple[str, Mischief]]:
    """The connection is cut; what had not left whole is tried again, what had is uncertain."""
    early: tuple[Step, ...] = ("connect", "ehlo", "mail", "rcpt", "data")
    late: tuple[Step, ...] = ("body", "dot", "taken")
    for step in early:
        rule = Rule(step, "drop", every=2 if step in ("connect", "ehlo") else 5, times=20)
        yield f"drop-{step}", Mischief(f"drops the connection at {step}", (rule,))
    for step in late:
        about = f"drops the connection at {step}"
        yield f"drop-{step}", Mischief(about, (Rule(step, "drop", every=5, times=20),), uncertain=20)
    half = Rule("body", "drop", every=5, times=4)
    yield "drop-big", Mischief("drops it in the middle of 4 MB", (half,), uncertain=0, list_name=HANDFUL, template=BIG)


def closings() -> Iterable[tuple[str, Mischief]]:
    """421 is an answer: nothing is uncertain, the connection is opened anew."""
    for step in STEPS:
        rule = Rule(
            step, "say", "421 4.3.2 closing", close=True, every=2 if step in ("connect", "ehlo") else 5, times=20
        )
        yield f"421-{step}", Mischief(f"says 421 at {step} and closes", (rule,))
    fiftieth = Rule("mail", "say", "421 4.3.2 enough", close=True, every=50)
    yield "421-50th", Mischief("says 421 at each 50th message", (fiftieth,))


def refusals() -> Iterable[tuple[str, Mischief]]:
    """Temporary ones come again; lasting ones are the row's, and nobody else's."""
    yield "greylist", Mischief("greylists each recipient for 3 s", (Rule("rcpt", "greylist", seconds=3.0),))
    for code in ("450 4.2.0", "451 4.3.0", "452 4.3.1"):
        rule = Rule("rcpt", "say", f"{code} later", share=0.2)
        yield f"{code[:3]}-rcpt", Mischief(f"{code[:3]} for 20% of RCPT", (rule,))
    lasting: tuple[tuple[str, str, Step], ...] = (
        ("550-unknown", "550 5.1.1 no such user", "rcpt"),
        ("552-full", "552 5.2.2 mailbox full", "rcpt"),
        ("554-content", "554 5.6.0 not this content", "dot"),
        ("550-policy", "550 5.7.1 not from you", "rcpt"),
    )
    for name, reply, step in lasting:
        yield name, Mischief(f"{reply} for one recipient", (Rule(step, "say", reply, match=VICTIM),), refused=1)


def lies() -> Iterable[tuple[str, Mischief]]:
    """Extensions that are offered and refused, replies that are giant or broken."""
    for word, match in (("size", "SIZE="), ("dsn", "RET=|ENVID=")):
        rule = Rule("mail", "say", "555 5.5.4 parameter not known", match=match)
        yield f"refuses-{word}", Mischief(f"offers {word.upper()} and refuses it", (rule,), refused=10_000)
    rule = Rule("rcpt", "say", "555 5.5.4 parameter not known", match="NOTIFY=|ORCPT=")
    yield "refuses-notify", Mischief("offers DSN and refuses NOTIFY", (rule,), refused=10_000)
    giant = Rule("rcpt", "raw", "250-" + "x" * 900_000 + "\r\n250 ok\r\n", every=7, times=10)
    yield "giant-line", Mischief("answers with a line of 900 kB", (giant,), refused=10_000)
    many = Rule("rcpt", "raw", "250-yes\r\n" * 50_000 + "250 ok\r\n", every=7, times=10)
    yield "giant-lines", Mischief("answers with 50,000 lines", (many,), refused=10_000)
    for name, text in (
        ("words", "well, yes\r\n"),
        ("code", "2x0 hm\r\n"),
        ("bytes", "\x00\xff\x80\r\n"),
        ("lf", "250 ok\n"),
    ):
        about = f"answers RCPT with {text.strip()!a}"
        yield f"broken-rcpt-{name}", Mischief(about, (Rule("rcpt", "raw", text, every=7, times=10),), refused=10_000)
        about = f"answers the final dot with {text.strip()!a}"
        rule = Rule("taken", "raw", text, every=7, times=10)
        yield f"broken-dot-{name}", Mischief(about, (rule,), uncertain=10)
    yield "bare", Mischief("offers nothing but AUTH", (), extensions=("AUTH PLAIN",))


ALL = dict([*drops(), *closings(), *refusals(), *lies()])


def enter(name: str, mischief: Mischief) -> None:
    """Make a run of a line of the table."""

    def act(run: Run) -> None:
        with run.world("sqlite" if name.startswith("421") else "postgresql") as world:
            world.start_workers(2)
            suffer(run, world, mischief)

    fault(f"server-{name}", f"the mail server {mischief.about}")(act)


for _name, _mischief in ALL.items():
    enter(_name, _mischief)


def suffer(run: Run, world: World, mischief: Mischief) -> None:
    """Send through a server that misbehaves; whatever it does, each row ends with the truth."""
    extensions = list(mischief.extensions) if mischief.extensions else list(EXTENSIONS)
    world.sink.script(*mischief.rules, delay=(0.001, 0.005), extensions=extensions)
    options = {"template": mischief.template} if mischief.template else {}
    mailing = world.launch(mischief.list_name, **options)
    world.finish([mailing], 150)
    fired = world.sink.fired() if mischief.rules else 1
    run.expect(fired > 0, "the fault never struck, so nothing was shown")
    found = run.reckon(world, [mailing], uncertain=min(mischief.uncertain, fired))
    rows = world.rows(mailing)
    run.expect(rows["refused"] <= mischief.refused, f"{rows['refused']} were refused: {words(world, mailing)}")
    run.expect(found.sent + found.uncertain + rows["refused"] == found.rows, f"rows ended as {dict(rows)}")
    run.note(f"struck {fired} times; refused {rows['refused']} {words(world, mailing)}")


def words(world: World, mailing: int) -> list[str]:
    """What the refused rows say."""
    row = OutboxMessage
    query = select(row.reply_code, row.reply_text, func.count()).where(
        row.mailing_id == mailing, row.state == "refused"
    )
    with world.app.app_context():
        found = db.session.execute(query.group_by(row.reply_code, row.reply_text)).all()
    return [f"{number} x {code} {text}"[:120] for code, text, number in found[:3]]


def suppressed() -> set[str]:
    """The addresses that get no mail any more."""
    return {str(one) for one in db.session.scalars(select(Suppression.address)) if one}


@fault("server-dead-addresses", "of 5.1.1, 5.2.2, 5.7.1 and 554 only the first makes an address dead")
def dead_addresses(run: Run) -> None:
    replies = ("550 5.1.1 no such user", "552 5.2.2 full", "550 5.7.1 policy", "554 5.6.0 content")
    with run.world() as world:
        rules = [
            Rule("dot" if "554" in reply else "rcpt", "say", reply, match=address(FIRST_KEY + number))
            for number, reply in enumerate(replies)
        ]
        world.sink.script(*rules)
        world.start_workers(1)
        mailing = world.launch(HANDFUL)
        world.finish([mailing], 60)
        with world.app.app_context():
            dead = suppressed()
        run.expect(dead == {address(FIRST_KEY)}, f"suppressed are {sorted(dead)}")
        run.expect(world.rows(mailing)["refused"] == len(replies), f"rows: {dict(world.rows(mailing))}")
        run.reckon(world, [mailing])


@fault(
    "server-sender-fault", "5.7.26 at the content: the mailing pauses, nobody is dead, afterwards everybody is served"
)
def sender_fault(run: Run) -> None:
    paused_and_healed(run, Rule("dot", "say", "550 5.7.26 this mail is not authenticated"))


@fault("server-535", "535 at the login: paused with its words, at most six tries a minute")
def login_fault(run: Run) -> None:
    paused_and_healed(run, Rule("auth", "say", "535 5.7.8 who are you?"))


def paused_and_healed(run: Run, rule: Rule) -> None:
    """The sender is at fault: sending stops with a reason, no row suffers, and a person sets it right."""
    with run.world() as world:
        world.sink.script(rule)
        world.start_workers(2)
        mailing = world.launch(CROWD)
        world.finish_or_pause(mailing, 60)
        state, reason, note = world.mailing(mailing)
        run.expect((state, reason) == (MailingState.PAUSED, HoldReason.SENDER_FAULT), f"it is {state} {reason}")
        run.expect(rule.text[:3] in note or rule.text[4:10] in note, f"the note says “{note}”")
        before, minute = world.sink.counts()["connections"], run.either(60, 15)
        time.sleep(minute)
        tries = world.sink.counts()["connections"] - before
        run.expect(tries <= 6, f"{tries} connections within {minute} s while paused")
        run.expect(world.rows(mailing)["refused"] == 0, f"rows suffered: {dict(world.rows(mailing))}")
        world.sink.script()
        world.test_sender()
        world.do(mailings.resume, mailing)
        world.finish([mailing], 120)
        with world.app.app_context():
            dead = suppressed()
        run.expect(not dead, f"suppressed are {sorted(dead)}")
        run.reckon(world, [mailing])
        run.note(f"paused: “{note}”; {tries} tries in {minute} s")


@fault("server-gone", "the mail server is killed and away for a while")
def server_gone(run: Run) -> None:
    with run.world() as world:
        world.sink.script(delay=(0.005, 0.02))
        world.start_workers(2)
        mailing = world.launch(CROWD)
        world.sends(50)
        world.kill("sink")
        time.sleep(run.either(20, 5))
        world.start_sink()
        world.test_sender()
        world.finish([mailing], 150)
        run.reckon(world, [mailing], uncertain=2 * 10)


@fault("server-silent", "never answers after the dot: the row is uncertain after the wait, the others go on")
def silent(run: Run) -> None:
    with run.world(FAULTS_DOT_SECONDS="5") as world:
        world.sink.script(Rule("taken", "hang", every=20, times=6), delay=(0.001, 0.005))
        world.start_workers(2)
        mailing = world.launch(FEW)
        world.finish([mailing], 120)
        found = run.reckon(world, [mailing], uncertain=6)
        run.expect(found.uncertain == 6, f"{found.uncertain} uncertain, 6 were not answered")


@fault("server-tarpit", "1 byte a second from one server: mails through another one leave as fast as without")
def tarpit(run: Run) -> None:
    with run.world() as world:
        slow, quick = world.sink, world.start_sink("sink2")
        sender = world.add_sender(quick.port)
        quick.script(delay=(0.05, 0.05))
        world.start_workers(2)
        alone = timed(world, [through(world, sender)])
        slow.script(Rule("connect", "crawl"), Rule("mail", "wait", seconds=30.0))
        held = world.launch(CROWD)
        time.sleep(3)
        beside = timed(world, [through(world, sender)])
        run.expect(beside <= alone / 0.9 + 0.5, f"{beside:.1f} s beside the tarpit, {alone:.1f} s without")
        slow.script()
        world.kill("sink")
        world.start_sink()
        world.test_sender()
        world.finish([held], 200)
        run.reckon(world, every_mailing(world), uncertain=20)
        run.note(f"{beside:.1f} s beside the tarpit, {alone:.1f} s without")


def through(world: World, sender: int) -> Callable[[], int]:
    """Launch a mailing through another sender."""

    def launch() -> int:
        mailing = world.draft(CROWD, sender_id=sender)
        world.do(mailings.launch, mailing, by="the fault runs")
        return mailing

    return launch


def timed(world: World, launches: list[Callable[[], int]]) -> float:
    """The seconds until what is launched has ended."""
    began = time.monotonic()
    world.finish([launch() for launch in launches], 200)
    return time.monotonic() - began


def every_mailing(world: World) -> list[int]:
    """All mailings of a world."""
    with world.app.app_context():
        return list(db.session.scalars(select(Mailing.id)))

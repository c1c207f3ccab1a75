"""The drain: every hit becomes one event, whatever fails or ends in between, and is judged in its company."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import delete, event, select
from sqlalchemy.exc import OperationalError

from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import BURST
from massmail_plugin.feedback.tracking import batches, positions, targets
from massmail_plugin.feedback.tracking.spool import spool_files, writing
from massmail_plugin.models import Link, SpoolFile
from massmail_plugin.vocabulary import MachineReason, MailingKind
from tests.feedback.tracking.went_out import FIREFOX, click, opened, take, went_out
from tests.upkeep.small_host import HandClock


def in_good_time(clock: HandClock) -> None:
    clock.go(seconds=BURST.total_seconds() + 1)


def let_go_of(folder: Path) -> None:
    """As if the process that took the hits had ended."""
    writing._writers.pop(folder).close()


def test_a_hit_becomes_an_event_and_what_it_means(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, opened(out.mails[0], clock.now), click(out.mails[1], clock.go(minutes=2), number=3))
    in_good_time(clock)
    assert feedback.drain(host) == 2
    assert out.events() == [(out.mails[0], "open", None, ""), (out.mails[1], "click", out.links[3], "")]
    assert out.reports() == [(out.mails[0], "read"), (out.mails[1], "read"), (out.mails[1], "clicked")]
    assert host.wake.__self__.calls == ["outcomes"]  # type: ignore[attr-defined]
    assert out.wrong_numbers() == []


def test_every_hit_is_kept_and_each_mail_is_read_and_clicked_once(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    for _ in range(5):
        take(host.state_dir, opened(out.mails[0], clock.go(minutes=30)), click(out.mails[0], clock.go(minutes=40)))
        in_good_time(clock)
        assert feedback.drain(host) == 2
    assert len(out.events()) == 10
    assert out.reports() == [(out.mails[0], "read"), (out.mails[0], "clicked")]
    assert out.wrong_numbers() == []


def test_nothing_counts_twice(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, *(click(mail, clock.go(minutes=1)) for mail in out.mails))
    in_good_time(clock)
    assert [feedback.drain(host) for _ in range(3)] == [6, 0, 0]
    assert len(out.events()) == 6


def test_hits_that_may_belong_to_a_burst_wait(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, opened(out.mails[0], clock.now))
    assert feedback.drain(host) == 0
    assert feedback.waiting(host).since == clock.now
    in_good_time(clock)
    assert feedback.drain(host) == 1
    assert feedback.waiting(host) == feedback.Waiting(0, None)


def test_a_burst_is_seen_from_its_first_hit_on(host: Host, clock: HandClock) -> None:
    """The first click is old enough to be kept when the others are not yet."""
    out = went_out(host)
    mail = out.mails[0]
    for number in range(1, 5):
        take(host.state_dir, click(mail, clock.go(seconds=0.5), number=number))
    clock.go(seconds=BURST.total_seconds() - 1.2)
    assert feedback.drain(host) == 1
    in_good_time(clock)
    assert feedback.drain(host) == 3
    assert [reason for *_, reason in out.events()] == [MachineReason.BURST] * 4
    assert out.reports() == []


def test_hits_of_one_burst_taken_on_two_machines_are_judged_together(host: Host, clock: HandClock) -> None:
    """What the first machine brought as a person's is corrected when the second one brings the rest."""
    out, other = went_out(host), replace(host, state_dir=host.state_dir / "another machine")
    mail, someone = out.mails[:2]
    take(host.state_dir, click(mail, clock.go(seconds=0.2), number=1), click(someone, clock.now, number=2))
    take(other.state_dir, *(click(mail, clock.go(seconds=0.2), number=number) for number in (2, 3, 4, 5)))
    in_good_time(clock)
    assert feedback.drain(host) == 2
    assert [reason for *_, reason in out.events()] == ["", ""]
    assert feedback.drain(other) == 4
    reasons = {(who, reason) for who, _, _, reason in out.events()}
    assert reasons == {(mail, MachineReason.BURST), (someone, "")}
    assert {who for who, _ in out.reports()} == {someone}
    assert out.wrong_numbers() == []


def test_many_processes_of_a_machine_are_drained_in_the_order_of_time(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    for mail in (5, 3, 1):
        take(host.state_dir, click(out.mails[mail], clock.go(minutes=1)))
        let_go_of(host.state_dir)
    take(host.state_dir, click(out.mails[0], clock.go(minutes=1)))
    in_good_time(clock)
    assert len(spool_files(host.state_dir)) == 4
    assert feedback.drain(host) == 4
    assert [mail for mail, outcome in out.reports() if outcome == "clicked"] == [out.mails[n] for n in (5, 3, 1, 0)]
    assert len(spool_files(host.state_dir)) == 1, "what was left is removed, what is in use stays"
    assert [row.name for row in host.session.scalars(select(SpoolFile))] == [spool_files(host.state_dir)[0].name]


def test_batches_are_of_bounded_size(host: Host, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    out = went_out(host)
    take(host.state_dir, *(click(out.mails[n % 6], clock.go(seconds=30), number=n % 5 + 1) for n in range(11)))
    commits: list[int] = []
    event.listen(host.db.engine, "commit", lambda connection: commits.append(1))
    in_good_time(clock)
    assert feedback.drain(host) == 11
    assert len(commits) >= 6
    assert out.wrong_numbers() == []


def test_a_burst_across_two_batches_is_one_burst(host: Host, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    out = went_out(host)
    take(host.state_dir, *(click(out.mails[0], clock.go(seconds=0.3), number=n) for n in (1, 2, 3, 4, 5)))
    in_good_time(clock)
    feedback.drain(host)
    assert [reason for *_, reason in out.events()] == [MachineReason.BURST] * 5


def test_a_crowd_of_hits_is_one_batchs_work(host: Host, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many came before: nobody can make each hit dearer than the last."""
    monkeypatch.setattr(batches, "AT_ONCE", 100)
    out, rows = went_out(host), []
    take(host.state_dir, *(click(out.mails[0], clock.go(seconds=0.01)) for _ in range(500)))
    in_good_time(clock)

    def fetched(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "user_agent" in statement and statement.lstrip().startswith("SELECT"):
            rows.append(statement)

    event.listen(host.db.engine, "after_cursor_execute", fetched)
    assert feedback.drain(host) == 500
    assert len(rows) == 5, "earlier hits are asked for once in each batch"
    assert out.reports() == [(out.mails[0], "read"), (out.mails[0], "clicked")]


def test_test_mails_unknown_mails_and_unknown_links_leave_nothing(host: Host, clock: HandClock) -> None:
    test, out = went_out(host, kind=MailingKind.TEST), went_out(host, links=2)
    take(host.state_dir, click(test.mails[0], clock.now), opened(test.mails[1], clock.now))
    take(host.state_dir, click(2**40, clock.now), opened(2**50, clock.now), click(out.mails[0], clock.now, number=77))
    in_good_time(clock)
    assert feedback.drain(host) == 0
    assert (test.events(), out.events(), out.reports()) == ([], [], [])
    assert feedback.waiting(host).octets == 0


def test_the_hidden_link_needs_no_row(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now, number=0, request="hidden-link"))
    in_good_time(clock)
    assert feedback.drain(host) == 1
    assert out.events() == [(out.mails[0], "click", None, MachineReason.HIDDEN_LINK)]


def test_what_visitors_say_is_kept_whatever_it_is(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    agents = ["\x00", "a\x00b", "ÿ" * 300, "\ud800", "<script>", "'; DROP TABLE massmail_event; --", "%s {0} \\u0000"]
    take(host.state_dir, *(opened(out.mails[0], clock.go(minutes=5), agent=f"{FIREFOX} {agent}") for agent in agents))
    in_good_time(clock)
    assert feedback.drain(host) == len(agents)


# --- What fails -----------------------------------------------------------------------------------------------


def fail(*args: object) -> None:
    raise OperationalError("COMMIT", {}, Exception("the server is gone"))


def test_a_database_that_is_down_loses_nothing(host: Host, clock: HandClock) -> None:
    """Whichever statement of the batch it is that fails."""
    out = went_out(host)
    take(host.state_dir, *(click(mail, clock.go(minutes=1)) for mail in out.mails))
    in_good_time(clock)
    failures, statements = 0, 0
    while True:
        left = failures

        def lose(*args: object) -> None:
            nonlocal left
            if left == 0:
                fail()
            left -= 1

        event.listen(host.db.engine, "before_cursor_execute", lose)
        try:
            feedback.drain(host)
            break
        except OperationalError:
            failures += 1
            host.session.remove()
        finally:
            event.remove(host.db.engine, "before_cursor_execute", lose)
        assert out.events() == []
        host.session.rollback()
        statements += 1
    assert statements > 8
    assert len(out.events()) == 6
    assert out.wrong_numbers() == []


def test_a_commit_that_fails_is_done_again(host: Host, clock: HandClock) -> None:
    out = went_out(host)
    take(host.state_dir, *(click(mail, clock.go(minutes=1)) for mail in out.mails))
    in_good_time(clock)
    event.listen(host.db.engine, "commit", fail)
    with pytest.raises(OperationalError):
        feedback.drain(host)
    event.remove(host.db.engine, "commit", fail)
    host.session.remove()
    assert feedback.drain(host) == 6
    assert len(out.events()) == 6


def test_a_crash_between_the_commit_and_the_removal_of_the_file(
    host: Host, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now))
    let_go_of(host.state_dir)
    in_good_time(clock)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *args, **options: fail())
        with pytest.raises(OperationalError):
            feedback.drain(host)
    assert len(spool_files(host.state_dir)) == 1
    assert feedback.drain(host) == 0
    assert (len(out.events()), spool_files(host.state_dir)) == (1, [])
    assert host.session.scalars(select(SpoolFile)).all() == []


def test_a_crash_between_the_removal_of_the_file_and_of_its_row(
    host: Host, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now))
    let_go_of(host.state_dir)
    in_good_time(clock)
    with monkeypatch.context() as patched:
        patched.setattr(positions, "forget", fail)
        with pytest.raises(OperationalError):
            feedback.drain(host)
    assert feedback.drain(host) == 0
    assert len(out.events()) == 1


def test_a_line_that_is_not_whole_is_passed_over_and_told(
    host: Host, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.now), click(out.mails[1], clock.go(minutes=1)))
    let_go_of(host.state_dir)
    (path,) = spool_files(host.state_dir)
    octets = bytearray(path.read_bytes())
    octets[20] ^= 1
    path.write_bytes(octets + b"half a li")
    in_good_time(clock)
    with caplog.at_level(logging.WARNING):
        assert feedback.drain(host) == 1
    assert [mail for mail, *_ in out.events()] == [out.mails[1]]
    assert "2 lines of the spool were not whole" in caplog.text
    assert spool_files(host.state_dir) == []


def test_a_hit_that_the_database_refuses_stops_no_other(
    host: Host, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A link that is gone, while a process still remembers it."""
    out = went_out(host)
    take(host.state_dir, click(out.mails[0], clock.go(minutes=1), number=5))
    in_good_time(clock)
    feedback.drain(host)
    host.session.execute(delete(Link).where(Link.number == 4))
    host.session.commit()
    targets._remembered[host][out.mailing_id, 4] = targets.StoredLink(4711, "", None)
    take(
        host.state_dir,
        *(click(mail, clock.go(minutes=1), number=4 if mail == out.mails[2] else 1) for mail in out.mails),
    )
    in_good_time(clock)
    assert feedback.drain(host) == 5
    assert "the database refuses it" in caplog.text
    assert feedback.waiting(host).octets == 0
    assert out.wrong_numbers() == []


def test_two_drains_at_once_keep_each_hit_once(host: Host, clock: HandClock) -> None:
    """Also where its lock does not work, as on some network disks: the position in the database decides."""
    out = went_out(host)
    take(host.state_dir, *(click(out.mails[n % 6], clock.go(seconds=20), number=n % 5 + 1) for n in range(60)))
    in_good_time(clock)
    meet, kept, overtaken = threading.Barrier(2), [], []

    def work(application: Flask) -> None:
        with application.app_context():
            meet.wait()
            try:
                kept.append(batches._drain(host, clock.now - BURST, lambda: False))
            except (positions.Overtaken, OperationalError):
                overtaken.append(1)
            host.session.remove()

    application = current_app._get_current_object()  # type: ignore[attr-defined]
    host.session.remove()
    threads = [threading.Thread(target=work, args=(application,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(out.events()) == 60
    assert out.wrong_numbers() == []

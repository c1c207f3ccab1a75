"""Calls wait for the outermost commit, vanish with a rollback, and cannot hurt what was committed."""

import logging

import pytest
from sqlalchemy import func, select

from massmail_plugin.consent.notices import after_commit
from massmail_plugin.contracts import Host
from massmail_plugin.models import List
from tests.consent.small_host import add_list


def lists(host: Host) -> int:
    return host.session.scalar(select(func.count()).select_from(List)) or 0


def test_it_runs_once_after_the_commit_in_order(host: Host) -> None:
    done: list[str] = []
    add_list(host)
    after_commit(host, lambda: done.append("first"))
    after_commit(host, lambda: done.append("second"))
    assert done == []
    host.session.commit()
    assert done == ["first", "second"]
    add_list(host, "Other")
    host.session.commit()
    assert done == ["first", "second"]


def test_a_rollback_or_a_removed_session_forgets_it(host: Host) -> None:
    done: list[str] = []
    for end in (host.session.rollback, host.session.close, host.session.remove):
        add_list(host)
        after_commit(host, lambda: done.append("never"))
        end()
        host.session.commit()
    assert done == []


def test_savepoints(host: Host) -> None:
    done: list[str] = []
    add_list(host)
    with host.session.begin_nested():
        after_commit(host, lambda: done.append("kept"))
        with host.session.begin_nested():
            after_commit(host, lambda: done.append("kept too"))
    inner = host.session.begin_nested()
    with host.session.begin_nested():
        after_commit(host, lambda: done.append("rolled back with the savepoint around"))
    inner.rollback()
    after_commit(host, lambda: done.append("last"))
    assert done == []
    host.session.commit()
    assert done == ["kept", "kept too", "last"]


def test_it_may_use_the_session_and_what_it_did_is_committed(host: Host) -> None:
    seen: list[int] = []

    def write() -> None:
        seen.append(lists(host))
        add_list(host, "From the call")

    with host.session.begin():
        add_list(host)
        after_commit(host, write)
    assert seen == [1]
    assert lists(host) == 2


def test_a_call_may_ask_for_another(host: Host) -> None:
    done: list[str] = []

    def first() -> None:
        add_list(host, "From the call")
        after_commit(host, lambda: done.append("second"))

    add_list(host)
    after_commit(host, first)
    host.session.commit()
    assert done == ["second"]


def test_an_error_is_logged_and_the_rest_goes_on(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def broken() -> None:
        add_list(host, "Half done")
        raise ValueError("no")

    callers = host.session()
    add_list(host)
    after_commit(host, broken)
    after_commit(host, lambda: done.append("still"))
    with caplog.at_level(logging.ERROR):
        host.session.commit()
    assert done == ["still"]
    assert "broken" in caplog.text
    assert host.session() is callers
    assert lists(host) == 1


def test_outside_a_transaction_it_waits_for_the_next(host: Host) -> None:
    done: list[str] = []
    after_commit(host, lambda: done.append("once"))
    assert done == []
    add_list(host)
    host.session.commit()
    assert done == ["once"]

"""The doctor about the machine: folder of the journals, what dead workers left, clocks, staging, DKIM alignment."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Mailing, Sender, Template
from massmail_plugin.outbox.journal import Journal, open_folder
from massmail_plugin.upkeep import application, machine, schema
from massmail_plugin.upkeep.check import Check, Level
from tests.upkeep.small_host import small_host

MOUNTS = """22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
24 22 0:26 / /run/kept rw - xfs /dev/sdb rw
25 22 0:27 / /with\\040space rw - overlay overlay rw
"""


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Host]:
    with small_host(database_url, tmp_path) as (_, mounted, _, _):
        schema.upgrade(mounted)
        yield mounted


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Host]:
    with small_host(f"sqlite:///{tmp_path / 'plain.sqlite3'}", tmp_path) as (_, mounted, _, _):
        schema.upgrade(mounted)
        yield mounted


def one(found: Iterator[Check]) -> Check:
    (check,) = found
    return check


# --- the folder ---


def test_the_folder_is_made_and_nothing_stays_in_it(plain: Host) -> None:
    assert one(machine.state_dir(plain)).level is not Level.FAIL
    assert list(plain.state_dir.iterdir()) == []


def test_a_folder_that_cannot_be_made(plain: Host) -> None:
    plain.state_dir.write_text("a file is in the way")
    found = one(machine.state_dir(plain))
    assert found.level is Level.FAIL
    assert str(plain.state_dir) in found.text
    assert "MASSMAIL_STATE_DIR" in found.what_to_do


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/crm", "ext4"),
        ("/run/crm", "tmpfs"),
        ("/run/kept/crm", "xfs"),
        ("/running", "ext4"),
        ("/with space/crm", "overlay"),
    ],
)
def test_the_kind_of_file_system_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    assert machine.file_system(Path(folder), MOUNTS) == kind


@given(st.text(max_size=200))
def test_a_table_of_any_shape_is_read_without_a_fault(table: str) -> None:
    assert machine.file_system(Path("/srv"), table) is not None


def test_a_folder_that_does_not_last(plain: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(machine, "MOUNTS", table)
    table.write_text("22 1 0:1 / / rw - overlay overlay rw\n")
    found = one(machine.state_dir(plain))
    assert (found.level, "container's own layer" in found.text) == (Level.WARNING, True)
    table.write_text("22 1 0:1 / / rw - ext4 /dev/sda rw\n")
    assert one(machine.state_dir(plain)).level is Level.OK


# --- what dead workers left ---


def test_a_journal_nobody_read(plain: Host) -> None:
    assert one(machine.journals(plain)).level is Level.OK
    folder, _ = open_folder(plain.state_dir)
    living = Journal(folder, "host:1", regions=1, slots=1)
    (path,) = folder.iterdir()
    long_ago = plain.clock().timestamp() - 600
    os.utime(path, (long_ago, long_ago))
    assert one(machine.journals(plain)).level is Level.OK, "its worker lives"
    living.close(keep=True)
    os.utime(path, (long_ago, long_ago))
    assert "1 journal of workers that died" in one(machine.journals(plain)).text
    assert path.exists(), "looking settles nothing"


def test_mails_whose_journal_is_on_another_machine(host: Host) -> None:
    now = host.clock()
    host.session.add(Mailing(name="News", contact_source="members", created_at=now))
    host.session.flush()
    mailing_id = host.session.query(Mailing).one().id
    chunk = {"mailing_id": mailing_id, "leased_by": "gone:1", "leased_until": now - timedelta(minutes=3), "number": 0}
    host.session.execute(insert(Chunk), [chunk, {**chunk, "number": 1, "leased_until": now}])
    host.session.commit()
    found = one(machine.journals(host))
    assert "1 group of mails waits for the machine" in found.text
    assert "600 s" in found.what_to_do


# --- clocks, staging ---


def test_a_clock_that_is_wrong(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    if host.db.engine.dialect.name == "sqlite":
        assert list(machine.clock(host)) == [], "SQLite has none of its own"
        return
    assert one(machine.clock(host)).level is Level.OK
    monkeypatch.setattr(machine, "database_now", lambda host: host.clock() - timedelta(seconds=90))
    assert "differ by 90 s" in one(machine.clock(host)).text


def test_modes_for_staging_are_warned_of(plain: Host) -> None:
    assert list(machine.staging(plain)) == []
    dry = replace(plain, config=replace(plain.config, dry_run=True))
    assert "no mail leaves" in one(machine.staging(dry)).text
    aside = replace(plain, config=replace(plain.config, override_recipient="qa@example.org"))
    assert "qa@example.org" in one(machine.staging(aside)).text


# --- signatures ---


@pytest.mark.parametrize(
    ("domain", "address", "level"),
    [
        ("example.org", "news@example.org", Level.OK),
        ("example.org", "news@Mail.Example.org", Level.OK),
        ("mail.example.org", "news@example.org", Level.OK),
        ("example.org", "news@notexample.org", Level.WARNING),
        ("provider.example", "news@example.org", Level.WARNING),
    ],
)
def test_a_signature_must_fit_the_from_address(plain: Host, domain: str, address: str, level: Level) -> None:
    assert list(application.signatures(plain)) == []
    plain.session.add(Sender(name="Post", from_address=address, dkim_domain=domain, created_at=plain.clock()))
    plain.session.commit()
    assert one(application.signatures(plain)).level is level


def test_a_templates_own_from_address_counts_too(plain: Host) -> None:
    now = plain.clock()
    sender = Sender(name="Post", from_address="post@example.org", dkim_domain="example.org", created_at=now)
    template = Template(name="T", created_at=now, updated_at=now, sender=sender, from_address="us@other.example")
    plain.session.add(template)
    plain.session.commit()
    assert "us@other.example" in one(application.signatures(plain)).text

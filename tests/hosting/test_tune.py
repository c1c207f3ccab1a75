"""The tuned SQLite engine: one writer at a time from its first statement on, readers beside it, keys checked."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from massmail_plugin.hosting import tune


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = create_engine(f"sqlite:///{tmp_path / 'tuned.sqlite3'}", poolclass=NullPool)
    tune(made)
    tune(made)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE counter (id INTEGER PRIMARY KEY, number INTEGER)"))
        connection.execute(text("CREATE TABLE child (counter_id INTEGER REFERENCES counter (id))"))
        connection.execute(text("INSERT INTO counter VALUES (1, 0)"))
    return made


def count_up(engine: Engine, times: int) -> None:
    for _ in range(times):
        with engine.begin() as connection:
            number = connection.execute(text("SELECT number FROM counter")).scalar_one()
            connection.execute(text("UPDATE counter SET number = :n"), {"n": number + 1})


def test_reading_then_writing_is_one_transaction(engine: Engine) -> None:
    threads = [threading.Thread(target=count_up, args=(engine, 50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT number FROM counter")).scalar_one() == 200


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(text("UPDATE counter SET number = 7"))
        with engine.connect().execution_options(sqlite_deferred=True) as reader:
            assert reader.execute(text("SELECT number FROM counter")).scalar_one() == 0


def test_foreign_keys_are_checked(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO child VALUES (99)"))


def test_a_change_is_undone_with_its_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        connection.rollback()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'half'")).scalar_one() == 0


def test_other_databases_are_left_alone(postgres_url: str) -> None:
    other = create_engine(postgres_url, poolclass=NullPool)
    tune(other)
    with other.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1

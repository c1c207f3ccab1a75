"""`flask massmail db`: upgrade, current, sql, downgrade."""

from tests.cli.conftest import Terminal


def test_upgrade_says_what_it_did_and_the_second_time_that_all_is_well(bare: Terminal) -> None:
    assert "no tables" in bare.run("db", "current", code=1)
    assert "from nothing to revision" in bare.run("db", "upgrade")
    assert "up to date" in bare.run("db", "upgrade")
    assert bare.json("db", "current")["up_to_date"] is True


def test_sql_prints_and_changes_nothing(bare: Terminal) -> None:
    assert "CREATE TABLE massmail_mailing" in bare.run("db", "sql")
    assert bare.json("db", "current", code=1)["current"] is None
    bare.run("db", "upgrade")
    assert "up to date" in bare.run("db", "sql")
    assert "CREATE TABLE massmail_mailing" in bare.run("db", "sql", "--whole")


def test_downgrade_asks_first(bare: Terminal) -> None:
    bare.run("db", "upgrade")
    bare.run("db", "downgrade", "base", typed="n\n", code=1)
    assert bare.json("db", "current")["up_to_date"] is True
    bare.run("db", "downgrade", "base", "--yes")
    assert bare.json("db", "current", code=1)["current"] is None
    assert "nonsense" in bare.run("db", "downgrade", "nonsense", "--yes", code=1)


def test_missing_tables_are_one_sentence(bare: Terminal) -> None:
    assert "flask massmail db upgrade" in bare.run("mailing", "list", code=1)


def test_wrong_usage_is_code_2(bare: Terminal) -> None:
    bare.run("db", "sideways", code=2)
    bare.run("mailing", "show", "seven", code=2)
    bare.run("send-test", "ada@example.org", code=2)


def test_every_command_explains_itself(bare: Terminal) -> None:
    for words in (
        [],
        ["db"],
        ["mailing"],
        ["campaign"],
        ["opt-out"],
        ["worker"],
        ["scheduler"],
        ["doctor"],
        ["send-test"],
        ["suppress"],
    ):
        assert "Usage:" in bare.run(*words, "--help")

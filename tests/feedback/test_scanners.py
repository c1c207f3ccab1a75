"""Programs that go through a mail just after it was sent, against the real application over HTTP: none is a reader."""

from pathlib import Path

from bench.feedback.scanner import simulate


def test_no_scanner_is_taken_for_a_reader_and_no_reader_for_a_scanner(database_url: str, tmp_path: Path) -> None:
    found = simulate(database_url, tmp_path / "state", seconds=0.5)
    assert found.hits > 150, "every visit is kept, whoever came"
    assert (found.human, found.opt_outs, found.statuses) == (0, 0, 0)
    assert found.people_missed == 0

"""The spool: what was appended is read again, whatever became of the process, the disk, or the last line."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.feedback.tracking.spool import (
    SpooledHit,
    SpoolReader,
    append,
    holding,
    last_held,
    spool_files,
    writing,
)
from massmail_plugin.feedback.tracking.spool.hits import line, read
from massmail_plugin.vocabulary import EventKind

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
hits = st.builds(
    SpooledHit,
    kind=st.sampled_from([EventKind.OPEN, EventKind.CLICK]),
    at=moments,
    message_id=st.integers(0, 2**56 - 1),
    number=st.none() | st.integers(0, 2**31 - 1),
    user_agent=st.text(max_size=300),
    request=st.text(max_size=200),
)


def click(number: int, *, seconds: float = 0) -> SpooledHit:
    return SpooledHit(EventKind.CLICK, NOON + timedelta(seconds=seconds), number, 1, "a browser", "")


def found(folder: Path) -> list[int]:
    """The mails of all whole lines, file by file."""
    return [one.hit.message_id for path in spool_files(folder) for one in lines(path) if one.hit]


def lines(path: Path, read_to: int = 0) -> Iterator:  # type: ignore[type-arg]
    reader = SpoolReader(path, read_to)
    try:
        yield from reader
    finally:
        reader.close()


def in_a_process(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    words = f"import resource\nfrom tests.feedback.tracking.test_spool import *\nfolder = Path({str(folder)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=False)


@given(hits)
def test_a_hit_is_one_line_of_ascii_and_reads_back(hit: SpooledHit) -> None:
    written = line(hit)
    assert written.isascii()
    assert written.index(b"\n") == len(written) - 1
    assert read(written[:-1]) == hit


@given(hits, st.data())
def test_a_line_that_was_changed_or_cut_is_no_hit(hit: SpooledHit, data: st.DataObject) -> None:
    written = line(hit)[:-1]
    place = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda octet: octet != written[place]))
    assert read(written[:place]) is None
    assert read(written[:place] + bytes([other]) + written[place + 1 :]) in (None, hit), "hex digits may be capitals"


@given(st.lists(st.binary(max_size=60) | hits, max_size=12))
def test_rubbish_between_lines_takes_no_other_line_with_it(pieces: list[bytes | SpooledHit]) -> None:
    octets = b"".join(line(one) if isinstance(one, SpooledHit) else one.replace(b"\n", b"") + b"\n" for one in pieces)
    path = Path(f"/dev/shm/{os.getpid()}.hits" if Path("/dev/shm").is_dir() else f"/tmp/{os.getpid()}.hits")
    path.write_bytes(octets)
    try:
        assert [one.hit for one in lines(path) if one.hit] == [one for one in pieces if isinstance(one, SpooledHit)]
        assert [one.end for one in lines(path)][-1:] == ([len(octets)] if octets else [])
    finally:
        path.unlink()


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for number in range(5):
        append(tmp_path, click(number))
    (path,) = spool_files(tmp_path)
    ends = [one.end for one in lines(path)]
    assert [one.hit.message_id for one in lines(path, ends[2])] == [3, 4]


def test_of_a_living_process_the_last_line_may_still_come(tmp_path: Path) -> None:
    append(tmp_path, click(1))
    (path,) = spool_files(tmp_path)
    with path.open("ab") as file:
        file.write(line(click(2))[:20])
    assert [one.hit and one.hit.message_id for one in lines(path)] == [1]
    with path.open("ab") as file:
        file.write(line(click(2))[20:])
    assert [one.hit and one.hit.message_id for one in lines(path)] == [1, 2]


def test_of_a_dead_process_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    in_a_process(tmp_path, "append(folder, click(1))")
    (path,) = spool_files(tmp_path)
    with path.open("ab") as file:
        file.write(line(click(2))[:20])
    assert [one.hit and one.hit.message_id for one in lines(path)] == [1, None]
    assert list(lines(path))[-1].end == path.stat().st_size


def test_kill_9_takes_nothing_that_was_appended(tmp_path: Path) -> None:
    code = "for number in range(100): append(folder, click(number))\nos.kill(os.getpid(), signal.SIGKILL)"
    assert in_a_process(tmp_path, code).returncode == -signal.SIGKILL
    assert found(tmp_path) == list(range(100))


def test_a_file_is_left_when_its_process_has_ended_and_not_before(tmp_path: Path) -> None:
    append(tmp_path, click(1))
    in_a_process(tmp_path, "append(folder, click(2))")
    readers = [SpoolReader(path, 0) for path in spool_files(tmp_path)]
    assert {next(iter(reader)).hit.message_id: reader.left for reader in readers} == {1: False, 2: True}  # type: ignore[union-attr]
    for reader in readers:
        reader.close()


def test_a_forked_child_appends_to_a_file_of_its_own(tmp_path: Path) -> None:
    """As the workers of a web server do that forks with the application loaded, and one that forks later."""
    append(tmp_path, click(1))
    (parents,) = spool_files(tmp_path)
    child = os.fork()
    if child == 0:
        append(tmp_path, click(2))
        os._exit(0)
    os.waitpid(child, 0)
    append(tmp_path, click(3))
    assert [one.hit.message_id for one in lines(parents)] == [1, 3]
    assert sorted(found(tmp_path)) == [1, 2, 3]


def test_a_childs_life_does_not_keep_its_parents_file_in_use(tmp_path: Path) -> None:
    code = (
        "append(folder, click(1))\n"
        "if os.fork() == 0:\n"
        "    os.write(1, b'here')\n"
        "    os.close(1); os.close(2); __import__('time').sleep(30)\n"
        "os._exit(0)\n"
    )
    assert in_a_process(tmp_path, code).stdout == "here"
    (path,) = spool_files(tmp_path)
    reader = SpoolReader(path, 0)
    assert reader.left
    reader.close()


def test_threads_append_whole_lines(tmp_path: Path) -> None:
    def visits(start: int) -> None:
        for number in range(start, start + 500):
            append(tmp_path, click(number))

    threads = [threading.Thread(target=visits, args=(start,)) for start in range(0, 4000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found(tmp_path)) == list(range(4000))


def test_a_large_file_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LARGEST", 400)
    for number in range(40):
        append(tmp_path, click(number, seconds=number))
    files = spool_files(tmp_path)
    assert len(files) > 3
    assert found(tmp_path) == list(range(40)), "their names sort by time"
    readers = [SpoolReader(path, 0) for path in files]
    assert [reader.left for reader in readers] == [True] * (len(files) - 1) + [False]
    for reader in readers:
        reader.close()


def test_a_full_disk_is_told_and_what_was_cut_off_spoils_nothing(tmp_path: Path) -> None:
    """The limit on a file's size stands for the disk: a write ends in the middle, and the next ones fail."""
    code = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "append(folder, click(1))\n"
        "size = spool_files(folder)[0].stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, resource.RLIM_INFINITY))\n"
        "for number in (2, 3):\n"
        "    try: append(folder, click(number))\n"
        "    except OSError as error: print(errno.errorcode[error.errno])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "append(folder, click(4))\n"
    )
    said = in_a_process(tmp_path, code)
    assert (said.stdout.split(), said.stderr) == (["ENOSPC", "EFBIG"], "")
    assert found(tmp_path) == [1, 4]


def test_one_at_a_time_drains(tmp_path: Path) -> None:
    with holding(tmp_path, NOON) as nothing_there:
        assert not nothing_there
    append(tmp_path, click(1))
    with holding(tmp_path, NOON) as ours, holding(tmp_path, NOON) as others:
        assert (ours, others) == (True, False)
        assert in_a_process(tmp_path, "with holding(folder, NOON) as it: print(it)").stdout == "False\n"
        assert last_held(tmp_path) == NOON.timestamp()
    with holding(tmp_path, NOON) as free_again:
        assert free_again


def test_an_unusable_folder_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    with pytest.raises(OSError) as raised:
        append(tmp_path, click(1))
    assert raised.value.errno in (errno.EEXIST, errno.ENOTDIR)

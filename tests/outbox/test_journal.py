"""The journal: what a lane stores outlives it, byte by byte, and is read by whoever finds it left."""

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.contracts import Answer
from massmail_plugin.errors import SetupError
from massmail_plugin.outbox import journal as journals
from massmail_plugin.outbox.journal import Journal, Mark, left, open_folder
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import MessageState

TAKEN = Answer(MessageState.SENT, Reply(250, "2.0.0", "2.0.0 Ok: queued as 4F2A"))


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path)[0]


def begun(folder, ids, *, slots=10):
    journal = Journal(folder, "here:1:abc", regions=2, slots=slots)
    region = journal.take()
    region.begin(7, ids)
    return journal, region


def found_in(folder):
    (one,) = left(folder)
    return one


def test_a_living_lane_is_left_alone(folder):
    journal, _ = begun(folder, [1, 2])
    assert list(left(folder)) == []
    journal.close(keep=True)
    assert found_in(folder).holder == "here:1:abc"


def test_each_message_is_found_as_far_as_it_came(folder):
    journal, region = begun(folder, [11, 12, 13, 14, 15])
    region.writing(1)
    region.handed(2, 1700000000.25)
    region.handed(3, 1700000001.5)
    region.answered(3, TAKEN, 1700000001.5)
    region.handed(4, 1.0)
    region.answered(4, TAKEN, 1.0)
    region.settled(4)
    journal.close(keep=True)
    rows = found_in(folder).chunks[7]
    assert [row.id for row in rows] == [11, 12, 13, 14, 15]
    assert [row.mark for row in rows] == [Mark.UNTOUCHED, Mark.WRITING, Mark.HANDED, Mark.SENT, Mark.SETTLED]
    assert rows[2].handed_at == 1700000000.25
    assert rows[3].answer == TAKEN
    assert rows[4].answer is None


def test_a_region_that_is_free_again_says_nothing(folder):
    journal, region = begun(folder, [1])
    region.handed(0, 1.0)
    region.free()
    again = journal.take()
    again.begin(8, [2, 3])
    journal.close(keep=True)
    assert {chunk: [row.mark for row in rows] for chunk, rows in found_in(folder).chunks.items()} == {
        8: [Mark.UNTOUCHED, Mark.UNTOUCHED]
    }


def test_regions_run_out(folder):
    journal = Journal(folder, "x", regions=2, slots=1)
    assert journal.take() is not None
    assert journal.take() is not None
    assert journal.take() is None
    journal.close(keep=False)
    assert list(left(folder)) == []


STATES = (MessageState.SENT, MessageState.REFUSED, MessageState.DEFERRED, MessageState.UNCERTAIN)


@given(st.sampled_from(STATES), st.integers(200, 599), st.text(max_size=600), st.sampled_from(["", "5.1.1", "4.7.509"]))
def test_any_answer_comes_back_with_its_code_and_the_begin_of_its_words(tmp_path_factory, state, code, text, enhanced):
    folder = open_folder(tmp_path_factory.mktemp("state"))[0]
    journal, region = begun(folder, [1])
    region.answered(0, Answer(state, Reply(code, enhanced, text)), 5.0)
    journal.close(keep=True)
    answer = found_in(folder).chunks[7][0].answer
    assert (answer.state, answer.reply.code, answer.reply.enhanced) == (state, code, enhanced)
    words = answer.reply.text.rstrip("\ufffd")
    assert text.rstrip("\0").startswith(words)
    assert len(words.encode()) >= min(len(text.rstrip("\0").encode()), 220) - 3


def test_what_was_stored_outlives_a_killed_process(folder):
    program = """
        import os, signal, sys
        from pathlib import Path
        from massmail_plugin.outbox.journal import Journal
        journal = Journal(Path(sys.argv[1]), "gone:1:x", regions=1, slots=3)
        region = journal.take()
        region.begin(5, [1, 2, 3])
        region.handed(0, 9.0)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(folder)], timeout=60)
    assert done.returncode == -9
    one = found_in(folder)
    assert one.trusted
    assert [row.mark for row in one.chunks[5]] == [Mark.HANDED, Mark.UNTOUCHED, Mark.UNTOUCHED]


def test_after_a_restart_of_the_machine_it_is_not_trusted(folder, monkeypatch):
    journal, _ = begun(folder, [1])
    journal.close(keep=True)
    monkeypatch.setattr(journals, "boot", lambda: "another start of the machine")
    assert not found_in(folder).trusted


def test_a_file_that_is_no_journal_is_not_read(folder):
    (folder / "odd.journal").write_bytes(b"x" * 1000)
    assert found_in(folder).chunks == {}


def test_a_state_directory_keeps_its_name_and_a_new_one_has_another(tmp_path):
    name = open_folder(tmp_path / "a")[1]
    assert open_folder(tmp_path / "a")[1] == name
    assert open_folder(tmp_path / "b")[1] != name


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="MASSMAIL_STATE_DIR"):
        open_folder(tmp_path / "file" / "state")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")
def test_a_full_disk_is_seen_before_anything_is_sent(folder, monkeypatch):
    def full(file, start, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SetupError, match="No space left on device"):
        Journal(folder, "x", regions=1, slots=1)
    assert list(folder.iterdir()) == []

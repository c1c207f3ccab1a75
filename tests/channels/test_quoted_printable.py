"""Quoted-printable lines: they read back, are short enough, never begin with a dot, and stand for themselves."""

from binascii import a2b_qp

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from massmail_plugin.channels.quoted_printable import quoted, settled

PIECES = st.sampled_from(["a", "b", ".", "..", " ", "\t", "=", "é", "€", "😀", "<", "word ", "x" * 70, "y" * 37])
LINES = st.lists(PIECES, max_size=60).map("".join)
TEXTS = st.lists(LINES, max_size=6).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS | st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",)), max_size=300))
@example(text="x" * 75 + " \n" + "x" * 76 + "\n" + "x" * 74 + "\t\n.\n" + "x" * 75 + "..\n.")
def test_every_line_is_fit_and_reads_back(text: str) -> None:
    made = quoted(text)
    assert a2b_qp(made).replace(b"\r\n", b"\n").decode() == text
    for line in made.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))
        assert line.isascii()


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(LINES, max_size=5))
def test_lines_may_be_encoded_apart(lines: list[str]) -> None:
    whole = [line + "\n" for line in lines]
    assert quoted("".join(whole)) == b"".join(map(quoted, whole))


@settings(max_examples=300, deadline=None)
@given(beginning=LINES, rest=TEXTS)
def test_the_settled_beginning_does_not_depend_on_the_rest(beginning: str, rest: str) -> None:
    known, left = settled(beginning)
    assert known + quoted(left + rest) == quoted(beginning + rest)


@pytest.mark.parametrize("length", [200, 500])
def test_most_of_a_long_beginning_is_settled(length: int) -> None:
    known, left = settled("x" * length)
    assert known
    assert len(left) <= 76


def test_what_is_no_character_becomes_a_question_mark() -> None:
    assert quoted("a\ud800b") == b"a?b"

"""Gathers what a compiled template prints, and turns what is known before any recipient into finished bytes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from massmail_plugin.composing.generated_code import GeneratedCode

WORTH = 120
"""Fewer characters of known lines are cheaper encoded along with the values around them; in loops, twice as many."""
_SOFT_BREAK = b"=\r\n"


class LineEncoder(NamedTuple):
    """How lines become bytes. How a line comes out must depend on that line alone; LF ends lines."""

    encode: Callable[[str], bytes]
    settled: Callable[[str], tuple[bytes, str]]
    """What the beginning of a line gives whatever follows it, and what of it is left to encode."""


class Slot(NamedTuple):
    """A place for what only the recipient brings: the variable `name`."""

    name: str


TOKEN = Slot("token")
Piece = str | Slot


@dataclass
class _Run:
    """Lines that go through the encoder for each mail, or are `known` (token aside), perhaps `encoded` already."""

    known: bool
    pieces: list[Piece] = field(default_factory=list)
    encoded: bytes | None = None

    def length(self) -> int:
        return sum(len(piece) for piece in self.pieces if isinstance(piece, str))


class Sheet:
    """What is printed into one list of texts, `target`.

    With an encoder, whole lines go to the list of bytes `out`; `loose` says whether the beginning of a line may be
    waiting in `target`. `loops` is how many loops of the template are around what is printed.
    """

    def __init__(
        self, code: GeneratedCode, target: str, placeholder: str, encoder: LineEncoder | None = None, *, loops: int = 0
    ) -> None:
        self.loose = False
        self.loops = loops
        self._code = code
        self._target = target
        self._placeholder = placeholder
        self._encoder = encoder
        self._pieces: list[Piece] = []

    def print_text(self, text: str) -> None:
        """Print what is known; the placeholder in it stands for the token."""
        first, *others = text.split(self._placeholder)
        self._append(first)
        for other in others:
            self._pieces.append(TOKEN)
            self._append(other)

    def print_variable(self, name: str) -> None:
        self._pieces.append(Slot(name))

    def settle(self) -> None:
        """Write the statements for everything printed so far; the last, unfinished lines wait in `target`."""
        pieces, self._pieces = self._pieces, []
        if not pieces:
            return
        if self.loops:
            self._count(pieces)
        if self._encoder is None:
            self._wait(pieces)
            return
        *whole, rest = self._runs(pieces, self._encoder)
        self._put([*whole, rest] if rest.known else whole)
        if not rest.known:
            self._wait(rest.pieces)
            self.loose = True

    def finish(self) -> None:
        """The end of the mail's part: its last line gets a line end if it has none."""
        self.settle()
        self._code.add(f'rest = "".join({self._target})')
        with self._code.block("if rest or not out:"):
            self._code.add('out += (encode(rest if rest.endswith("\\n") else rest + "\\n"),)')

    def _append(self, text: str) -> None:
        if self._pieces and isinstance(self._pieces[-1], str):
            self._pieces[-1] += text
        elif text:
            self._pieces.append(text)

    def _count(self, pieces: list[Piece]) -> None:
        """What is printed in loops is counted, so that they end before memory does."""
        lengths = [f"len({piece.name})" for piece in pieces if isinstance(piece, Slot)]
        self._code.add(f"size += {' + '.join([str(_Run(True, pieces).length()), *lengths])}")

    def _wait(self, pieces: list[Piece]) -> None:
        self._code.add(f"{self._target} += {self._tuple(pieces)}")

    def _put(self, runs: list[_Run]) -> None:
        parts: list[str] = []
        waiting = self.loose and bool(runs)
        for run in runs:
            if run.known:
                parts += self._finished(run)
            elif self.loose:
                self._wait(run.pieces)
                parts.append(f'encode("".join({self._target}))')
            else:
                parts.append(f'encode("".join({self._tuple(run.pieces)}))')
            self.loose = False
        if parts:
            self._code.add(f"out += ({', '.join(parts)},)")
        if waiting:
            self._code.add(f"{self._target}.clear()")

    def _tuple(self, pieces: list[Piece]) -> str:
        names = (piece.name if isinstance(piece, Slot) else self._code.constant(piece) for piece in _joined(pieces))
        return f"({', '.join(names)},)"

    def _finished(self, run: _Run) -> Iterator[str]:
        """A known run as names of bytes: encoded with the placeholder, then cut where the token goes in."""
        assert self._encoder is not None
        text = "".join(self._placeholder if isinstance(piece, Slot) else piece for piece in run.pieces)
        encoded = self._encoder.encode(text) if run.encoded is None else run.encoded
        at = 0
        for found in _spread(self._placeholder).finditer(encoded):
            yield self._code.constant(encoded[at : found.start()])
            yield from _token_around(found.group().find(_SOFT_BREAK))
            at = found.end()
        yield self._code.constant(encoded[at:])

    def _runs(self, pieces: list[Piece], encoder: LineEncoder) -> list[_Run]:
        """`pieces` by lines: those with values, and short ones between, go through the encoder.

        The last run may end within a line. The first is not known where the beginning of a line is waiting.
        """
        worth = WORTH * (2 if self.loops else 1)
        runs: list[_Run] = []
        for number, line in enumerate(_lines(pieces)):
            waiting = self.loose and not number
            if not waiting and _known(line):
                runs.append(_Run(True, line))
            else:
                runs += [_Run(False, line)] if waiting else _begun(line, encoder, worth)
        return list(_worthy(list(_grouped(runs)), worth))


def _begun(line: list[Piece], encoder: LineEncoder, worth: int) -> Iterator[_Run]:
    """A line with values; what comes before them is encoded now as far as they have no influence on it."""
    first, *others = line
    if isinstance(first, str) and len(first) > worth:
        known, rest = encoder.settled(first)
        if len(known) > worth:
            yield _Run(True, encoded=known)
            line = [rest, *others]
    yield _Run(False, line)


def _worthy(runs: list[_Run], worth: int) -> Iterator[_Run]:
    """Known runs that are too short to be put out apart join their neighbours."""
    short = len(runs) > 1
    for run in runs:
        run.known = run.known and not (short and run.encoded is None and run.length() < worth)
    yield from _grouped(runs)


def _grouped(runs: list[_Run]) -> Iterator[_Run]:
    for (known, encoded), group in groupby(runs, key=lambda run: (run.known, run.encoded)):
        yield _Run(known, [piece for run in group for piece in run.pieces], encoded)


def _token_around(soft_break: int) -> Iterator[str]:
    if soft_break < 0:
        yield "token_bytes"
    else:
        yield from (f"token_bytes[:{soft_break}]", "soft_break", f"token_bytes[{soft_break}:]")


def _spread(placeholder: str) -> re.Pattern[bytes]:
    """The placeholder, wherever a soft line break may have come into it."""
    return re.compile("(?:=\r\n)?".join(placeholder).encode())


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """`pieces` without one text behind another."""
    for texts, group in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        if texts:
            yield "".join(piece for piece in group if isinstance(piece, str))
        else:
            yield from group


def _known(line: list[Piece]) -> bool:
    return _complete(line) and all(isinstance(piece, str) or piece is TOKEN for piece in line)


def _complete(line: list[Piece]) -> bool:
    return isinstance(line[-1], str) and line[-1].endswith("\n")


def _lines(pieces: list[Piece]) -> Iterator[list[Piece]]:
    line: list[Piece] = []
    for piece in pieces:
        for part in re.findall(r"[^\n]*\n|[^\n]+", piece) if isinstance(piece, str) else [piece]:
            line.append(part)
            if _complete(line):
                yield line
                line = []
    if line:
        yield line

"""XML read piece by piece as the parts of an XLSX file need it: no entities, no document types. Reads only."""

from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from massmail_plugin.errors import ImportRefused

PIECE = 1 << 16
LONGEST_TEXT = 100_000
LONGEST_TAG = 500_000
"""Bytes of a tag or comment: the parser holds it whole, and reads it anew with each piece that comes."""
DEEPEST = 100


class XmlStream:
    """Calls `begin(name, attributes)` and `end(name, its own text)`; names are without their prefix."""

    def __init__(self, begin: Callable[[str, dict[str, str]], None], end: Callable[[str, str], None]) -> None:
        self._begin, self._end = begin, end
        self._text: list[str] = []
        self._length = self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._said
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def pieces(self, part: BinaryIO) -> Iterator[None]:
        """Read a part to its end, and stop after each piece, so that what came of it can be taken away."""
        given = 0
        try:
            while piece := part.read(PIECE):
                given += len(piece)
                self._parser.Parse(piece)
                if given - self._parser.CurrentByteIndex > LONGEST_TAG + PIECE:
                    raise ImportRefused("A tag in the XLSX file never ends. Save it anew, or save it as CSV.")
                yield None
            self._parser.Parse(b"", True)
            yield None
        except expat.ExpatError as error:
            raise ImportRefused(f"The XLSX file is damaged ({error}). Save it anew, or save it as CSV.") from None

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ImportRefused("The XLSX file is nested too deeply. Save it anew, or save it as CSV.")
        if self._text:
            self._text.clear()
            self._length = 0
        self._begin(name.rpartition(":")[2], attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        text = "".join(self._text)
        if text:
            self._text.clear()
            self._length = 0
        self._end(name.rpartition(":")[2], text)

    def _said(self, data: str) -> None:
        self._length += len(data)
        if self._length > LONGEST_TEXT:
            raise ImportRefused(f"A cell holds more than {LONGEST_TEXT:,} characters. This is no list of contacts.")
        self._text.append(data)


def _refuse_doctype(*_: object) -> None:
    raise ImportRefused("The XLSX file declares a document type, which no spreadsheet does. Save it as CSV.")

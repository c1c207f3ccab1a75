"""The texts of an XLSX file that its cells name by number (ECMA-376, 18.4), kept on disk as they are come to.

Nobody commits. Memory holds eight bytes for each text, whatever their length.
"""

import os
from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

from massmail_plugin.audience.table_files.xml_stream import XmlStream
from massmail_plugin.errors import ImportRefused


class SharedStrings:
    """The text of a number; the file is read no further than to it."""

    def __init__(self, part: BinaryIO | None) -> None:
        self._texts = iter(()) if part is None else _texts(part)
        self._kept = TemporaryFile()  # noqa: SIM115 -- `close` does
        self._ends = array("Q", [0])
        self._waiting: list[bytes] = []

    def close(self) -> None:
        self._kept.close()

    def __getitem__(self, number: int) -> str:
        while number >= len(self._ends) - 1:
            self._read_on()
        if self._waiting:
            self._kept.write(b"".join(self._waiting))
            self._kept.flush()
            self._waiting.clear()
        start = self._ends[number]
        return os.pread(self._kept.fileno(), self._ends[number + 1] - start, start).decode()

    def _read_on(self) -> None:
        for text in self._texts:
            data = text.encode("utf-8", "replace")
            self._waiting.append(data)
            self._ends.append(self._ends[-1] + len(data))
            if len(self._waiting) == 1000:
                break
        else:
            raise ImportRefused("A cell of the file names a text that is not there. Save the file anew.")


def _texts(part: BinaryIO) -> Iterator[str]:
    found: list[str] = []
    parts: list[str] = []
    aloud = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal aloud
        if name == "rPh":
            aloud += 1
        elif name == "si":
            parts.clear()

    def end(name: str, text: str) -> None:
        nonlocal aloud
        if name == "t" and not aloud:
            parts.append(text)
        elif name == "rPh":
            aloud -= 1
        elif name == "si":
            found.append("".join(parts))

    xml = XmlStream(begin, end)
    for _ in xml.pieces(part):
        yield from found
        found.clear()

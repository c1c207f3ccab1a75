"""Received mails from files: *.eml, folders of them, Maildirs, mbox. The command line enters.

Commits by itself, batch by batch: a second import of the same changes nothing.
"""

import mailbox
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.feedback.received_mail import Incoming, Taken, read_incoming, take_mails

ORIGIN = "file"
"""How rows of received mails name an import."""
BATCH = 50


def import_mails(host: Host, paths: Iterable[Path]) -> Counter[str]:
    """Take in every mail below the paths; how many of each state, and of "repeated" ones.

    Raises BadRequest where a file cannot be read; what was read before it is kept.
    """
    counts: Counter[str] = Counter()
    mails = (incoming for path in paths for incoming in _read(path))
    while batch := list(islice(mails, BATCH)):
        counts.update(map(_word, take_mails(host, ORIGIN, batch)))
        host.session.commit()
    return counts


def _word(taken: Taken) -> str:
    return "repeated" if taken.repeated or taken.state is None else taken.state.value


def _read(path: Path) -> Iterator[Incoming]:
    try:
        for stream in _mails(path):
            with closing(stream):
                yield read_incoming(stream)
    except OSError as error:
        raise BadRequest(f"{error.filename or path} cannot be read: {error.strerror}.") from None


def _mails(path: Path) -> Iterator[BinaryIO]:
    if not path.is_dir():
        yield from _in_file(path)
        return
    maildir = [path / "new", path / "cur"]
    for folder in maildir if all(part.is_dir() for part in maildir) else [path]:
        for file in sorted(folder.iterdir() if folder in maildir else folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield from _in_file(file)


def _in_file(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if file.read(5) != b"From ":
            file.seek(0)
            yield file
            return
    with closing(mailbox.mbox(path, create=False)) as box:
        for key in box.iterkeys():
            yield cast(BinaryIO, box.get_file(key))

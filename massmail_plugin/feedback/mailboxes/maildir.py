"""A Maildir on this machine. Opening enters; the database is not known here.

Mails are read where they lie; those of others keep name, flags and place. Other programs may move them meanwhile.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from massmail_plugin.feedback.mailboxes.box import Listing, MailboxAccount, MailboxFault, Waiting
from massmail_plugin.vocabulary import AfterReading

_TRIES = 3


class MaildirBox:
    """An open Maildir. Its UIDs are the names of the files up to the colon, which stay when flags change."""

    def __init__(self, account: MailboxAccount, root: str) -> None:
        """Raises MailboxFault unless both folders are Maildirs below `root`."""
        self._folder = maildir_below(root, account.folder)
        self._target: Path | None = None
        if account.after is AfterReading.MOVE:
            self._target = maildir_below(root, account.move_to) / "cur"
        self._open: BinaryIO | None = None
        self._seen: dict[str, Path] = {}

    def look(self, position: str, known: Collection[str], most: int) -> Listing:
        """Mails whose name is not known, in the order of the names, which begin with the time."""
        self._seen = {uid_of(path): path for path in self._files()}
        new = sorted(uid for uid in self._seen if uid not in known)
        waiting = [Waiting(uid, _size(self._seen[uid])) for uid in new[:most]]
        return Listing(waiting, frozenset(self._seen), len(self._seen), len(new) > most)

    def fetch(self, waiting: Waiting) -> BinaryIO | None:
        """The mail, wherever it lies by now."""
        self._let_go()
        for path in self._places(waiting.uid):
            with suppress(FileNotFoundError):
                self._open = path.open("rb")
                return self._open
        return None

    def position(self, read: Sequence[Waiting]) -> str:
        """Nothing: the mails themselves are remembered."""
        return ""

    def remove(self, uids: Collection[str]) -> Collection[str]:
        """Delete, or move into the other Maildir; who else moved or deleted it first is right too."""
        for uid in uids:
            for path in self._places(uid):
                with suppress(FileNotFoundError):
                    path.rename(self._target / path.name) if self._target else path.unlink()
                    break
        return list(uids)

    def check_target(self) -> None:
        """It was looked at when the mailbox was opened."""

    def close(self) -> None:
        """Close what is open."""
        self._let_go()

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _places(self, uid: str) -> Iterator[Path]:
        """Where a mail lay, then where it lies by now; it may be moved on even while it is looked for."""
        if uid in self._seen:
            yield self._seen[uid]
        for _ in range(_TRIES):
            found = [path for path in self._files() if uid_of(path) == uid]
            if not found:
                return
            yield from found

    def _files(self) -> Iterator[Path]:
        """cur last: what is moved from new while they are listed is then seen there."""
        for name in ("new", "cur"):
            for path in (self._folder / name).iterdir():
                if not path.name.startswith(".") and path.is_file() and not path.is_symlink():
                    yield path


def maildir_below(root: str, folder: str) -> Path:
    """The Maildir `folder`, absolute or below `root`. Raises MailboxFault where it is none, or outside of `root`."""
    if not root:
        raise MailboxFault("folder", "Maildirs are read only below MASSMAIL_MAILDIR_ROOT, which is not set.")
    top, path = Path(root).resolve(), (Path(root) / folder).resolve()
    if not path.is_relative_to(top):
        raise MailboxFault("folder", f"“{folder}” is not below MASSMAIL_MAILDIR_ROOT.")
    if not all((path / name).is_dir() for name in ("new", "cur", "tmp")):
        raise MailboxFault("folder", f"“{folder}” is no Maildir: it lacks one of new, cur and tmp.")
    return path


def uid_of(path: Path) -> str:
    """The name of a mail without its flags."""
    return path.name.partition(":")[0][:255]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

"""The words of the import screens for purposes, states and counts. A table of texts only."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.vocabulary import ImportPurpose, ImportState, RowVerdict


class PurposeWords(NamedTuple):
    """What people read of a purpose: its choice, the button that does it, what the changed rows are, and the others."""

    choice: str
    button: str
    changed: str
    done: str
    already: str


PURPOSES = {
    ImportPurpose.SUBSCRIBE: PurposeWords(
        "Put contacts on a list", "Add {} to the list", "new on the list", "added to the list", "on it already"
    ),
    ImportPurpose.UNSUBSCRIBE: PurposeWords(
        "Take contacts off a list", "Take {} off the list", "will be taken off", "taken off the list", "not on it"
    ),
    ImportPurpose.OPT_OUT: PurposeWords(
        "Opt contacts out", "Opt {} out", "will be opted out", "opted out", "had opted out already"
    ),
    ImportPurpose.OPT_IN: PurposeWords(
        "Take opt-outs back", "Take {} back", "may get mail again", "may get mail again", "had not opted out"
    ),
    ImportPurpose.SUPPRESS: PurposeWords(
        "Suppress addresses", "Suppress {}", "will be suppressed", "suppressed", "suppressed already"
    ),
}
CREATED = ("new contacts, to be made", "new contacts, made and added")
"""Before, and after."""
OTHERS = {
    RowVerdict.LEFT: "left the list, stay off",
    RowVerdict.OPTED_OUT: "opted out, stay out",
    RowVerdict.SUPPRESSED: "suppressed, stay so",
    RowVerdict.UNKNOWN: "belong to no contact",
    RowVerdict.INVALID: "cannot be used",
    RowVerdict.DUPLICATE: "in the file twice",
}
STATES = {
    ImportState.UPLOADED: Word("Columns to choose", "waiting"),
    ImportState.WAITING: Word("Waiting for a worker", "waiting"),
    ImportState.RUNNING: Word("Running", "busy"),
    ImportState.COUNTED: Word("Checked, not done yet", "waiting"),
    ImportState.FINISHED: Word("Finished", "good"),
    ImportState.FAILED: Word("Failed", "bad"),
    ImportState.CANCELLED: Word("Cancelled"),
}


class Tile(NamedTuple):
    label: str
    number: int


def tiles(purpose: ImportPurpose, counts: Mapping[str, Any], *, before: bool) -> list[Tile]:
    """The numbers of an import, the important ones always, the others where there are any."""
    words = PURPOSES[purpose]
    found = [Tile(words.changed if before else words.done, counts.get(RowVerdict.CHANGED, 0))]
    if made := counts.get(RowVerdict.CREATED, 0):
        found.append(Tile(CREATED[0 if before else 1], made))
    found.append(Tile(words.already, counts.get(RowVerdict.ALREADY, 0)))
    return found + [Tile(label, counts[verdict]) for verdict, label in OTHERS.items() if counts.get(verdict)]


def without_effect(counts: Mapping[str, Any]) -> int:
    """How many rows the file of errors names."""
    return sum(counts.get(verdict, 0) for verdict in OTHERS)


def people(number: int, purpose: ImportPurpose) -> str:
    """“1 contact”, “1,284 addresses”."""
    one, many = ("address", "addresses") if purpose is ImportPurpose.SUPPRESS else ("contact", "contacts")
    if purpose is ImportPurpose.OPT_IN:
        one, many = "opt-out", "opt-outs"
    return f"{number:,} {one if number == 1 else many}"


def state_word(state: str) -> Word:
    return STATES[ImportState(state)]

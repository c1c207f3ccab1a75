"""How we know of a change to somebody's consent: what every change carries into the history. A leaf, no commits."""

from dataclasses import KW_ONLY, dataclass

from massmail_plugin.vocabulary import ConsentWay


@dataclass(frozen=True)
class Proof:
    """Who did it, how, from where and to which words. The same for all contacts that one act changes."""

    way: ConsentWay
    _: KW_ONLY
    evidence: str
    """In words, for whoever asks later: at most 500 characters are kept."""
    by: str = ""
    """The user who did it; empty where the contact did."""
    origin: str = ""
    """From where: network address and program of the visitor, or the name of a file."""
    consent_text_id: int | None = None
    """The `ConsentText` that the contact agreed to."""
    message_id: int | None = None
    """The mail whose link was used."""

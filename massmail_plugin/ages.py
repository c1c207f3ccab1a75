"""How long each kind of personal data is kept, in days. A leaf: the configuration reads it, retention goes by it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


def _days(default: int, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Ages:
    """Days after which data of each kind go; 0 keeps them for good. The defaults are what few will call too long."""

    messages: int = _days(
        730,
        "Mails of ended mailings, with addresses, servers' answers, opens, clicks and outcomes. All numbers stay, and "
        "so do the links to opt out.",
    )
    event_details: int = _days(
        365, "Of opens and clicks the name of the program, of all that came back the words. The events stay."
    )
    received: int = _days(365, "Mails and provider events that came in and belong to a mail of ours.")
    received_bytes: int = _days(90, "The bytes of mails that came in, to look at.")
    sign_ups: int = _days(1460, "Sign-ups that were confirmed: who agreed when, from where, to which words.")
    open_sign_ups: int = _days(30, "Sign-ups that nobody confirmed.")
    consent_history: int = _days(
        1460,
        "Changes to subscriptions that a later one has replaced. The last coming and the last leaving of each stay.",
    )
    opt_out_reasons: int = _days(730, "Why somebody opted out, with the comment.")
    released_suppressions: int = _days(
        1460, "Stops that were released, or whose time was over: whom they stopped, who released them, and why."
    )
    imports: int = _days(30, "Files that people brought, and the files of their errors. The numbers stay.")

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    __repr__ = __str__


USUAL = Ages()

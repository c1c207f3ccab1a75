"""A question of the public sign-up forms, as a host declares it. A leaf; nothing is read or committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class SignUpField:
    """A further question of the public sign-up forms, beside the address.

    The answer reaches `MassMail.create_contact` as text under `name`; for somebody who is a contact already it is kept
    with the sign-up alone. `label` is a text, or texts by language: {"en": "First name", "de": "Vorname"}. `choices`
    makes it a list to choose from. `autocomplete` is HTML's word for what it asks, such as given-name, so that browsers
    can fill it in.
    """

    name: str
    label: str | Mapping[str, str]
    required: bool = False
    choices: Sequence[str] = ()
    autocomplete: str = ""
    longest: int = 200

    def label_in(self, language: str) -> str:
        """The label in a language such as de or pt_BR; where there is none, the first."""
        if isinstance(self.label, str):
            return self.label
        by_name = {name.replace("-", "_").lower(): text for name, text in self.label.items()}
        wanted = language.lower()
        return by_name.get(wanted) or by_name.get(wanted.partition("_")[0]) or next(iter(by_name.values()))

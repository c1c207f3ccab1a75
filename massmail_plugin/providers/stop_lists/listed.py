"""What a provider's own list of stopped addresses is to us: the port, and the values that travel. Nothing is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from massmail_plugin.contracts import Clock
from massmail_plugin.vocabulary import SuppressionReason


@dataclass(frozen=True, slots=True)
class ListAccount:
    """Where the list is, in the provider's words, the key to it, and what tells the time for those who sign it."""

    account: str
    api_key: str = field(repr=False)
    clock: Clock = field(repr=False, compare=False)

    @property
    def place(self) -> str:
        """The account without its region."""
        return self.account.removeprefix("eu:").strip()

    @property
    def in_europe(self) -> bool:
        """Whether the account is kept by the provider's European house: it then begins with "eu:"."""
        return self.account.startswith("eu:")


@dataclass(frozen=True, slots=True)
class Listed:
    """An address on the provider's list. `reason` is HARD_BOUNCE, COMPLAINT, OPT_OUT, or BY_PROVIDER for others."""

    address: str
    reason: SuppressionReason
    words: str = ""


class StopList(Protocol):
    """One provider's list. Calls block, each for seconds at most; they raise ListFault in words for people."""

    name: str
    account_label: str
    account_help: str
    most: int
    """Addresses that one call of `add` or `remove` may hold."""

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """The list page by page: all of it, or what came on it since then where the provider can tell."""

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """Put addresses on it; one that is there already is no fault."""

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """Take addresses off; one that is not there is no fault."""

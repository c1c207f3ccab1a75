"""What a courier asks of whoever owns it, and how it says that its connection ended. The carriage implements it."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from massmail_plugin.contracts import Feed, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.smtp_status import Reply

if TYPE_CHECKING:
    from massmail_plugin.providers.smtp.courier import Courier


class Ended(NamedTuple):
    """How a connection ended: at which stage, why, with which reply if any, and whether it ever carried a message."""

    stage: str
    note: str
    reply: Reply | None
    proven: bool


class Depot(Protocol):
    """Where a courier belongs to."""

    feed: Feed

    def take(self) -> Outgoing | None:
        """The next message, if there is one now."""

    def idle(self, courier: "Courier") -> None:
        """There was none: the courier waits for `Courier.resume`."""

    def park(self, courier: "Courier") -> None:
        """The feed cannot say yet whether a message may go: the courier waits for `Courier.resume`."""

    def lost(self, message: Outgoing, ended: "Ended") -> None:
        """The connection ended while it was this message's turn, before its content."""

    def gone(self, courier: "Courier") -> None:
        """The connection is over, and nothing is in its hands."""

    def fault(self, problem: CannotConnect) -> None:
        """The server wants nothing from this sender: all couriers stop."""

    def broke(self, error: Exception) -> None:
        """The feed failed: all couriers stop, and the error goes to who called `carry`."""

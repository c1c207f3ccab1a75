"""One leased chunk on its way out: each letter is written, marked, handed over and settled. A lane enters.

Owns short transactions: the mark before each content and each answer are committed at once, so that none is open
while the network is used.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, exists

from massmail_plugin import consent, outbox
from massmail_plugin.contracts import Answer, Host, Outgoing
from massmail_plugin.errors import RenderError
from massmail_plugin.models import Mailing, OutboxMessage, Subscription
from massmail_plugin.sending import results
from massmail_plugin.sending.letters import Letters
from massmail_plugin.sending.recipients import Recipient, Recipients
from massmail_plugin.vocabulary import MessageState, SkipReason, SubscriptionState

log = logging.getLogger(__name__)


class ChunkRun:
    """Feeds a carriage with a chunk's letters and takes its answers."""

    def __init__(
        self, host: Host, chunk: outbox.LeasedChunk, mailing: Mailing, letters: Letters, stopping: Callable[[], bool]
    ) -> None:
        self._host = host
        self._chunk = chunk
        self._is_test = mailing.is_test
        self._letters = letters
        self._stopping = stopping
        self._recipients = Recipients(host, mailing, letters)
        self._hand_over = outbox.HandOver(host, chunk, *self._stops(mailing.contact_source))
        self._under_way: dict[int, Recipient] = {}
        self._copies: deque[Outgoing] = deque()
        self._halted = False
        self._renew_at = host.clock() + self._third_of_lease()
        self.settled = 0

    def feed(self) -> Iterator[Outgoing]:
        """The chunk's letters, each BCC copy after the one it copies. Ends early where the chunk must stop."""
        ready = self._recipients.ready(self._chunk)
        self._host.session.commit()
        for recipient in ready:
            if self._halted or self._stopping():
                return
            letter = self._letter(recipient)
            if letter is not None:
                self._under_way[recipient.id] = recipient
                yield letter
            while self._copies:
                yield self._copies.popleft()

    def hand(self, letter: Outgoing) -> bool:
        """The durable mark; opt-outs and suppressions are checked in the same statement."""
        if letter.is_copy:
            return True
        self._keep_lease()
        recipient = self._under_way[letter.message_id]
        if self._hand_over.mark(recipient.id, **_given(recipient)):
            return True
        del self._under_way[recipient.id]
        self._keep_back(recipient)
        self._host.session.commit()
        return False

    def _keep_back(self, recipient: Recipient) -> None:
        """Either the recipient said stop a moment ago, or the chunk may not go on: lease lost, mailing held."""
        if not self._recipients.not_stopped([recipient]):
            return
        if self._hand_over.stops(recipient.id, **_given(recipient)):
            outbox.skip(self._host, {recipient.id: (SkipReason.SUPPRESSED, "")})
        else:
            self._halted = True

    def settle(self, letter: Outgoing, answer: Answer) -> None:
        """Write an answer and what it means for the host, in one commit."""
        if letter.is_copy:
            if answer.state is not MessageState.SENT:
                log.warning("The copy of message %s was not taken by the server", letter.message_id)
            return
        recipient = self._under_way.pop(letter.message_id)
        results.settle(self._host, recipient, answer, count=not self._is_test)
        self._host.session.commit()
        self.settled += 1
        if answer.state is MessageState.SENT and self._letters.bcc:
            self._copy(letter, recipient)

    def _copy(self, letter: Outgoing, recipient: Recipient) -> None:
        """A worker that dies now sends no copy of this one; none is ever sent twice."""
        try:
            self._copies.append(self._letters.write_copy(letter, recipient.name, recipient.values))
        except RenderError:
            log.warning("The copy of message %s could not be made", letter.message_id)

    def close(self) -> None:
        """Give the chunk back with its counters right; the mailing is finished if nothing waits any more."""
        self._host.session.rollback()
        outbox.give_back(self._host, self._chunk)
        outbox.finish_if_done(self._host, self._chunk.mailing_id)
        self._host.session.commit()

    def _letter(self, recipient: Recipient) -> Outgoing | None:
        self._keep_lease()
        if self._recipients.vetoed(recipient):
            return None
        try:
            return self._letters.write(recipient.id, recipient.address, recipient.name, recipient.values)
        except RenderError as error:
            self._not_built(recipient, str(error))
        except Exception as error:
            log.exception("The mail of message %s could not be made", recipient.id)
            self._not_built(recipient, f"The mail could not be made: {type(error).__name__}.")
        return None

    def _not_built(self, recipient: Recipient, why: str) -> None:
        if outbox.not_built(self._host, recipient.id, why):
            results.report_failed(self._host, recipient.id, count=not self._is_test)
        self._host.session.commit()

    def _stops(self, source_name: str) -> list[ColumnElement[bool]]:
        """What keeps a mail back at the last moment; the parameter `to_address` is the recipient's, normalised."""
        if self._is_test:
            return []
        row, lists = OutboxMessage, self._recipients.list_ids
        stops = consent.stop_clause(source_name, row.contact_key, bindparam("to_address"), lists)
        subscribed = exists().where(
            Subscription.contact_source == row.contact_source,
            Subscription.contact_key == row.contact_key,
            Subscription.list_id.in_(lists),
            Subscription.state == SubscriptionState.SUBSCRIBED.value,
        )
        return [stops.opted_out, stops.suppressed, ~subscribed]

    def _keep_lease(self) -> None:
        if self._host.clock() >= self._renew_at:
            outbox.renew(self._host, self._chunk)
            self._host.session.commit()
            self._renew_at = self._host.clock() + self._third_of_lease()

    def _third_of_lease(self) -> timedelta:
        return timedelta(seconds=self._host.config.lease_seconds / 3)


def _given(recipient: Recipient) -> dict[str, object]:
    return {"to_address": consent.normalised(recipient.address)}

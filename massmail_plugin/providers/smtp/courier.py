"""Carries one message after another over one open connection: the hot path. The carriage enters; it commits nothing.

Where the server offers PIPELINING (RFC 2920), content, final dot and the commands of the next message leave in one
write, so that a message costs one round trip; else each command waits for its answer. The feed's mark is asked for
when DATA was answered with 354 and nothing but the content is missing.
"""

from collections import deque
from collections.abc import Callable
from time import monotonic

from massmail_plugin.contracts import Account, Answer, Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.content import END, body, stuffed
from massmail_plugin.providers.smtp.depot import Depot, Ended
from massmail_plugin.providers.smtp.dialogue import Waits
from massmail_plugin.providers.smtp.envelope import BadAddress, Envelope, Offer, Unsendable, envelope
from massmail_plugin.providers.smtp.replies import (
    BAD_PARAMETERS,
    BAD_RECIPIENT_PARAMETERS,
    accepted,
    refusal,
    rejection,
    spoken,
)
from massmail_plugin.providers.smtp.wire import Wire
from massmail_plugin.smtp_status import Meaning, Reply
from massmail_plugin.vocabulary import MessageState

LARGE = 65536
"""Contents above this many bytes leave before their dot does, so that a refusal in their midst is noticed."""
_STEPS = ("mail", "rcpt", "data")
_STAGES = {"rset": "mail", "void": "mail", "mail": "mail", "rcpt": "rcpt"}


class Courier:
    """One connection and what is on it: `flight` was handed and awaits its answer, `following` was not handed yet."""

    __slots__ = (
        "_account", "_acts", "_bare", "_body", "_depot", "_dirty", "_envelope", "_expected", "_has", "_over", "_ready",
        "_refusal", "_secret", "_since", "_stopping", "_trying_bare", "_undotted", "_unsaid", "_unsent", "_waits",
        "_wire", "flight", "following", "proven",
    )  # fmt: skip

    def __init__(self, wire: Wire, has: Offer, account: Account, waits: Waits, depot: Depot) -> None:
        self.flight: Outgoing | None = None
        self.following: Outgoing | None = None
        self.proven = False
        """Whether a message got an answer to its final dot on this connection."""
        self._wire, self._has, self._account, self._waits, self._depot = wire, has, account, waits, depot
        self._secret = account.secret.encode()
        self._expected: deque[str] = deque()
        self._acts: dict[str, Callable[[int, bytes], None]] = {
            "rset": self._rset, "mail": self._mail, "rcpt": self._rcpt, "data": self._data, "dot": self._dot,
            "void": self._void,
        }  # fmt: skip
        self._unsaid: deque[bytes] = deque()
        self._body = b""
        self._envelope = Envelope(b"", False, False)
        self._refusal: tuple[str, int, bytes] | None = None
        self._bare = self._trying_bare = self._dirty = False
        self._ready = self._undotted = self._stopping = self._over = False
        self._since = monotonic()
        self._unsent = 0
        wire.listener = self

    @property
    def step(self) -> str:
        """The step whose answer comes next: rset, mail, rcpt, data or dot; "" where none is awaited."""
        return self._expected[0] if self._expected else ""

    @property
    def _stage(self) -> str:
        return _STAGES.get(self.step, "data")

    @property
    def free(self) -> bool:
        """Whether nothing is in its hands."""
        return self.flight is None and self.following is None

    @property
    def carries(self) -> bool:
        """Whether the server lets messages through here, as far as is known: it did, or one is on its way."""
        return self.proven or not self.free

    # --- What the carriage asks for ---------------------------------------------------------------------------

    def resume(self) -> None:
        """Ask the feed again: for a message, or whether the waiting one may go."""
        try:
            if self._ready:
                self._hand()
            elif self.free:
                self._next()
        except Exception as error:
            self._broken(error)

    def stop(self) -> None:
        """Take nothing more, give back what was not handed, and hang up once the answer to the rest is here."""
        self._stopping = True
        self._give_back()
        if self.flight is None:
            self.end("")

    def _give_back(self) -> None:
        following, self.following = self.following, None
        if following is not None:
            self._depot.feed.put_back(following)

    def check(self, now: float) -> None:
        """End the connection if its server has been silent for too long (`now` as `time.monotonic`)."""
        if not self._expected and not self._undotted and not (self._ready and self._wire.more):
            return
        unsent = self._wire.unsent
        if unsent != self._unsent:
            self._unsent, self._since = unsent, now
        elif now - self._since > (self._waits.final_dot if self.step == "dot" else self._waits.command):
            self.end("It was silent for too long.")

    # --- What the server says ---------------------------------------------------------------------------------

    def heard(self, code: int, text: bytes, /) -> None:
        """As `wire.Listener`."""
        try:
            if code == 421 or not self._expected:
                self._unasked(code, text)
            else:
                self._acts[self._expected.popleft()](code, text)
        except Exception as error:
            self._broken(error)

    def lost(self, note: str, /) -> None:
        """As `wire.Listener`."""
        self.end(note)

    def drained(self) -> None:
        """As `wire.Listener`: a large content has left, its dot may follow."""
        if self._undotted:
            self._finish(b"")

    def _rset(self, code: int, text: bytes) -> None:
        self._since = monotonic()
        if code >= 300:
            self.end(f"It answered RSET with {code}.", self._reply(code, text))
        elif self._unsaid:
            self._say()

    def _mail(self, code: int, text: bytes) -> None:
        if code >= 300:
            self._no("mail", code, text)
        elif self._unsaid:
            self._say()

    def _rcpt(self, code: int, text: bytes) -> None:
        if code >= 300:
            self._no("rcpt", code, text)
        elif self._unsaid:
            self._say()

    def _data(self, code: int, text: bytes) -> None:
        self._since = monotonic()
        if code == 354 and self._refusal is None:
            self._hand()
        elif code < 400 and code != 354:
            self.end(f"It answered DATA with {code}.")
        else:
            self._no("data", code, text)

    def _dot(self, code: int, text: bytes) -> None:
        self._since = monotonic()
        if 300 <= code < 400:
            self.end(f"It answered the message with {code}.")
            return
        message, self.flight = self.flight, None
        assert message is not None  # the dot was ours
        self.proven = True
        if code >= 300:
            self._rejected(message, self._reply(code, text))
        else:
            if self._secret and self._secret in text:
                text = text.replace(self._secret, b"***")
            self._depot.feed.settle(message, accepted(code, text))
        if self._stopping:
            self.end("")
        elif self.following is None:
            self._next()

    def _void(self, code: int, text: bytes) -> None:
        """The answer to a dot without a message."""
        self._since = monotonic()
        if code < 400:
            self.end("It accepted a message that was none.")

    def _unasked(self, code: int, text: bytes) -> None:
        """A 421, or words when it was not the server's turn: in any case the connection ends here."""
        said = self._reply(code, text)
        message, dotted = self.flight, self.step == "dot"
        if message is not None and (dotted or (self._undotted and code >= 400)):
            self.flight = None
            self._give_back()
            self._rejected(message, said)
        elif self.following is not None and self._about_following(said):
            self._ready = False
            self._refused(self._stage, said)
        self.end(f"{said.code} {said.text}", said)

    def _about_following(self, said: Reply) -> bool:
        """Whether it refuses the message before its content, or speaks of the sender while it says goodbye."""
        if said.code == 421:
            return said.meaning is Meaning.SENDER_FAULT
        return self._ready and said.code >= 400

    # --- Refusals ---------------------------------------------------------------------------------------------

    def _no(self, stage: str, code: int, text: bytes) -> None:
        """One of MAIL, RCPT and DATA was refused; the first refusal counts, once the others are answered as well."""
        if code < 400 and stage != "data":
            self.end(f"It answered {stage.upper()} with {code}.")
            return
        if self._refusal is None:
            self._refusal = (stage, code, text)
        if self._unsaid:
            self._unsaid.clear()
        elif stage != "data":
            return
        first, self._refusal = self._refusal, None
        if code == 354 and first[0] == "rcpt":
            # Without a recipient a lone dot ends what should not have begun (RFC 2920 section 3.1).
            self._wire.write(END)
            self._expected.append("void")
        self._refused(first[0], self._reply(first[1], first[2]))
        if code == 354 and first[0] == "mail":
            # A dot alone could be a message to the recipient it took: hanging up cannot.
            self.end("It wants content for a message it refused.")
        elif self.free:
            self._next()

    def _refused(self, stage: str, said: Reply) -> None:
        """Settle the message whose turn it was, or try it again without parameters it can do without."""
        self._dirty = True
        message = self.following
        assert message is not None
        if self._dispensable(stage, said):
            self._trying_bare = True
            self._ask(self._address(message))
            return
        self.following, self._trying_bare = None, False
        answer = refusal(stage, said, needed=self._envelope.needed)
        if answer is not None:
            self._depot.feed.settle(message, answer)
        else:
            self._depot.feed.put_back(message)
            self._sender_fault(stage, said)

    def _dispensable(self, stage: str, said: Reply) -> bool:
        """Whether a refusal may speak of parameters that the message can do without."""
        if not self._envelope.options:
            return False
        codes = BAD_PARAMETERS if stage == "mail" else BAD_RECIPIENT_PARAMETERS
        return said.code in codes and (stage == "mail" or (stage == "rcpt" and self._has.dsn))

    def _rejected(self, message: Outgoing, said: Reply) -> None:
        self._depot.feed.settle(message, rejection(said))
        if said.meaning is Meaning.SENDER_FAULT:
            self._sender_fault("data", said)

    def _sender_fault(self, stage: str, said: Reply) -> None:
        text = words.sender_refused(self._account, said)
        self._depot.fault(CannotConnect(stage, text, lasting=not said.temporary))

    # --- Messages ---------------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._stopping:
            self.end("")
            return
        lines = self._take()
        if lines:
            self._ask(lines)
        elif not self._over:
            self._depot.idle(self)

    def _take(self) -> bytes:
        """The commands of the next message that this server can take; b"" where there is none now."""
        while not self._stopping and (message := self._depot.take()) is not None:
            try:
                return self._address(message)
            except Unsendable as not_here:
                self._depot.feed.settle(message, Answer(MessageState.REFUSED, not_here.reply))
            except BadAddress as bad:
                self._depot.feed.put_back(message)
                text = f"The sender's own address cannot be used. {bad}"
                self._depot.fault(CannotConnect("mail", text, lasting=True))
        return b""

    def _address(self, message: Outgoing) -> bytes:
        content = body(message)
        self._envelope = envelope(message, content, self._has, bare=self._bare or self._trying_bare)
        self._body = content if message.dotless else stuffed(content)
        self.following = message
        if not self._dirty:
            return self._envelope.lines
        self._dirty = False
        return b"RSET\r\n" + self._envelope.lines

    def _ask(self, lines: bytes) -> None:
        """Send the commands of a message: at once, or the first of them where each must be answered."""
        self._since = monotonic()
        if self._has.pipelining:
            self._expect(lines)
            self._wire.write(lines)
        else:
            self._unsaid.extend(lines.splitlines(keepends=True))
            self._say()

    def _expect(self, lines: bytes) -> None:
        if lines.startswith(b"RSET"):
            self._expected.append("rset")
        self._expected.extend(_STEPS)

    def _say(self) -> None:
        line = self._unsaid.popleft()
        self._since = monotonic()
        self._expected.append(line[:4].decode().lower())
        self._wire.write(line)

    def _hand(self) -> None:
        """The server waits for content: ask whether it may go, and let it."""
        self._ready = True
        message = self.following
        if message is None or self._wire.more:
            return
        verdict = self._depot.feed.hand(message)
        if verdict is Hand.WAIT:
            self._depot.park(self)
            return
        self._ready = False
        self.following = None
        if verdict is Hand.STOP:
            # Hanging up is the only way back from a 354 that sends nothing.
            self.end("The message was stopped.")
            return
        self.flight = message
        if self._trying_bare:
            self._trying_bare, self._bare = False, True
        self._send(self._body)

    def _send(self, content: bytes) -> None:
        if len(content) <= LARGE:
            self._finish(content)
            return
        self._since = monotonic()
        self._undotted = True
        self._wire.write(content)
        if not self._wire.blocked:
            self._finish(b"")

    def _finish(self, content: bytes) -> None:
        """What is left of the content, its dot, and the commands of the next message in one write."""
        self._undotted = False
        self._expected.append("dot")
        lines = self._take() if self._has.pipelining else b""
        if lines:
            self._expect(lines)
        self._wire.write(b"".join((content, END, lines)))

    # --- The end ----------------------------------------------------------------------------------------------

    def end(self, note: str, reply: Reply | None = None) -> None:
        """Hang up; say what becomes of what is in its hands. `note` says why, `reply` what the server said last."""
        if self._over:
            return
        self._over = True
        self._wire.abort()
        flight, following = self.flight, self.following
        self.flight = self.following = None
        if flight is not None:
            self._depot.feed.settle(flight, self._interrupted(note, reply))
        if following is not None and flight is not None:
            self._depot.feed.put_back(following)
        elif following is not None:
            self._depot.lost(following, Ended(self._stage, note, reply, self.proven))
        self._depot.gone(self)

    def _interrupted(self, note: str, reply: Reply | None) -> Answer:
        if self._undotted:
            return Answer(MessageState.DEFERRED, reply, f"Interrupted before the message was complete. {note}")
        return Answer(MessageState.UNCERTAIN, None, f"No answer after the message was sent. {note}")

    def _broken(self, error: Exception) -> None:
        self._depot.broke(error)
        self.end("The worker failed.")

    def _reply(self, code: int, text: bytes) -> Reply:
        return spoken(code, text, (self._account.secret,) if self._secret else ())

"""The test button of a webhook: one signed body of no meaning, and what came of it. Screens enter.

Ends the caller's transaction: none is open while the receiver is waited for.
"""

from dataclasses import dataclass
from uuid import uuid4

from massmail_plugin.contracts import Host
from massmail_plugin.models import Webhook
from massmail_plugin.outcomes.webhooks.packets import Letter, send
from massmail_plugin.outcomes.webhooks.payload import body
from massmail_plugin.outcomes.webhooks.sending import keys_of, receiver_of


@dataclass(frozen=True)
class Trial:
    """Whether the receiver took it, its HTTP status (None: no answer), and words for a person."""

    taken: bool
    code: int | None
    words: str


def try_out(host: Host, hook: Webhook) -> Trial:
    """Post {"type": "test"} to the receiver now, for 15 seconds at the most.

    Raises BadRequest where its address may not be used.
    """
    to, keys, name = receiver_of(host, hook), keys_of(host, hook), hook.name
    now = host.clock().isoformat().replace("+00:00", "Z")
    host.session.commit()
    letter = Letter(0, 0, f"msg_test_{uuid4().hex}", body("test", now, {"webhook": name}))
    answer = send(to, keys, [letter], host.clock).tried[0].answer
    return Trial(answer.taken, answer.code, answer.words)

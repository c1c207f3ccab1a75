"""The mail that asks whether a sign-up was meant, and when it is asked again. Taking, keeping up and doors enter.

Flushes only.
"""

from datetime import datetime, timedelta

from massmail_plugin import mailings
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, SetupError
from massmail_plugin.models import List, SignUp
from massmail_plugin.sign_ups.confirmation_mail import confirmation_mail
from massmail_plugin.sign_ups.sender import sender_for
from massmail_plugin.vocabulary import SignUpState


def ask(host: Host, sign_up: SignUp) -> None:
    """Send the mail with the link that confirms. Raises SetupError where there is no sender to send it."""
    list_ = host.session.get_one(List, sign_up.list_id)
    sender = sender_for(host, list_)
    if sender is None:
        raise SetupError(f"The list “{list_.name}” takes sign-ups, but there is no sender to ask for confirmation.")
    mail = confirmation_mail(host, sign_up, list_, again=sign_up.times_asked > 0)
    mailings.send_service(
        host,
        sender=sender,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        address=sign_up.address,
        contact=None,
        by="sign-up",
    )
    sign_up.times_asked += 1
    sign_up.asked_at = host.clock()
    sign_up.due_at = next_due(host, sign_up)
    host.session.flush()


def ask_again(host: Host, sign_up: SignUp) -> None:
    """A person wants the mail sent once more. Raises BadRequest where it waits for nothing, or is too old."""
    if sign_up.state != SignUpState.WAITING or end_of(host, sign_up) <= host.clock():
        raise BadRequest("This sign-up does not wait to be confirmed any more.")
    ask(host, sign_up)


def end_of(host: Host, sign_up: SignUp) -> datetime:
    """When it cannot be confirmed any more."""
    return sign_up.created_at + timedelta(days=host.config.sign_up_days)


def next_due(host: Host, sign_up: SignUp) -> datetime:
    """The next reminder that is still to come, else the end."""
    now = host.clock()
    days = sorted(host.config.sign_up_reminder_days)
    reminders = (sign_up.created_at + timedelta(days=day) for day in days)
    return next((at for at in reminders if at > now), end_of(host, sign_up))

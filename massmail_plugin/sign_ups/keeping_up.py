"""What time brings to sign-ups: reminders, the end of those nobody confirmed, contacts that come later.

The scheduler enters; each sign-up is a short transaction of its own, committed here.
"""

import logging
from datetime import timedelta

from sqlalchemy import select, update

from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import forget_words
from massmail_plugin.models import List, SignUp
from massmail_plugin.portable_sql import changed
from massmail_plugin.sign_ups.asking import ask, end_of
from massmail_plugin.sign_ups.joining import join, said_no
from massmail_plugin.vocabulary import SignUpState

log = logging.getLogger(__name__)

MOST = 200
"""Sign-ups in one tick."""
AFTER_TROUBLE = timedelta(hours=1)


def keep_up(host: Host) -> int:
    """Do what is due about sign-ups, MOST of them at the most; how many. Commits."""
    due = select(SignUp.id).where(SignUp.due_at <= host.clock()).order_by(SignUp.due_at).limit(MOST)
    ids = list(host.session.scalars(due))
    forget_words(host)
    host.session.commit()
    return sum(_keep_up_safely(host, sign_up_id) for sign_up_id in ids)


def _keep_up_safely(host: Host, sign_up_id: int) -> bool:
    try:
        done = _keep_up(host, sign_up_id)
        host.session.commit()
    except Exception:
        host.session.rollback()
        log.exception("Nothing could be done about sign-up %s; it is tried again", sign_up_id)
        later = update(SignUp).where(SignUp.id == sign_up_id).values(due_at=host.clock() + AFTER_TROUBLE)
        changed(host, later)
        host.session.commit()
        return False
    return done


def _keep_up(host: Host, sign_up_id: int) -> bool:
    """False where somebody else was quicker."""
    query = select(SignUp).where(SignUp.id == sign_up_id).with_for_update(skip_locked=True)
    sign_up = host.session.scalars(query.execution_options(populate_existing=True)).first()
    if sign_up is None or sign_up.due_at is None or sign_up.due_at > host.clock():
        return False
    list_ = host.session.get_one(List, sign_up.list_id)
    if sign_up.state == SignUpState.EXPIRED or not sign_up.address:
        sign_up.due_at = None
    elif sign_up.state == SignUpState.CONFIRMED:
        join(host, sign_up)
    elif end_of(host, sign_up) <= host.clock():
        _end(sign_up)
    elif not list_.active:
        sign_up.due_at = end_of(host, sign_up)
    elif sign_up.times_asked or list_.double_opt_in:
        ask(host, sign_up)
    else:
        _admit(host, sign_up, list_)
    return True


def _end(sign_up: SignUp) -> None:
    """Nobody confirmed: what was filled in goes, the address stays for a while to be looked up."""
    sign_up.state = SignUpState.EXPIRED.value
    sign_up.due_at = None
    sign_up.values = {}
    sign_up.origin = sign_up.network = ""


def _admit(host: Host, sign_up: SignUp, list_: List) -> None:
    """To a list that asks nobody first, except those who once left: they must say themselves that they are back."""
    contacts = contacts_at(host, sign_up.address)
    if said_no(host, sign_up, None) or any(said_no(host, sign_up, contact) for contact in contacts):
        ask(host, sign_up)
        return
    sign_up.state = SignUpState.CONFIRMED.value
    sign_up.confirmed_at = host.clock()
    join(host, sign_up)

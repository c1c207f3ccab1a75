"""One bounce or complaint that a person read: what it means for the address, and that a test mail means nothing."""

import pytest
from sqlalchemy import select

from massmail_plugin import feedback
from massmail_plugin.models import Suppression
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import EventKind
from tests.public.mailed_host import ANN, MailedHost


def test_complaint_stops_the_address_and_is_reported_once(mailed: MailedHost) -> None:
    for _ in range(2):
        feedback.complaint(mailed.host, mailed.message(ANN), detail="abuse")
        mailed.host.session.commit()
    stop = mailed.host.session.scalars(select(Suppression)).one()
    assert (stop.address, stop.reason, stop.scope) == ("ann@example.org", "complaint", "all_but_transactional")
    assert mailed.reports() == [("1", "complained", 0)]


@pytest.mark.parametrize(
    ("code", "text", "dead"),
    [
        (550, "5.1.1 nobody here", True),
        (550, "5.7.26 not authenticated", False),
        (552, "5.2.2 mailbox full", False),
        (450, "4.2.1 later", False),
        (554, "5.7.1 blocked", False),
    ],
)
def test_only_a_dead_address_is_stopped(mailed: MailedHost, code: int, text: str, dead: bool) -> None:
    feedback.bounce(mailed.host, mailed.message(ANN), reply(code, text))
    mailed.host.session.commit()
    assert mailed.events() == [(EventKind.BOUNCE.value, False)]
    assert [row[1] for row in mailed.reports()] == (["bounced"] if dead else [])
    assert len(mailed.host.session.scalars(select(Suppression)).all()) == int(dead)


def test_what_comes_back_about_a_test_mail_leaves_no_trace(mailed: MailedHost) -> None:
    feedback.complaint(mailed.host, mailed.message(ANN, test=True))
    feedback.bounce(mailed.host, mailed.message(ANN, test=True), reply(550, "5.1.1 nobody"))
    mailed.host.session.commit()
    assert (mailed.events(), mailed.reports()) == ([], [])
    assert mailed.host.session.scalars(select(Suppression)).all() == []

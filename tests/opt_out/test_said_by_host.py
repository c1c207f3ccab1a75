"""What the host says of a contact's wishes is carried out at once: for all mail, for a list, for a topic."""

import pytest

from massmail_plugin import opt_out
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import BadRequest, SetupError
from massmail_plugin.models import Topic
from massmail_plugin.vocabulary import ConsentWay
from tests.public.mailed_host import ANN, BEN, MailedHost


def test_all_mail(mailed: MailedHost) -> None:
    assert opt_out.from_host(mailed.host, BEN, wants_mail=False, by="anna")
    assert opted_out_of(mailed.host, BEN, Wide())
    assert not opt_out.from_host(mailed.host, BEN, wants_mail=False, by="anna")
    mailed.host.session.commit()
    assert opt_out.from_host(mailed.host, BEN, wants_mail=True)
    assert mailed.lists_of(BEN) == ["news"]
    mailed.host.session.commit()
    assert [(wish.source, wish.way) for wish in mailed.wishes] == [
        ("Set in the host application by anna", ConsentWay.HOST),
        ("Set in the host application", ConsentWay.HOST),
    ]


@pytest.mark.parametrize("by_name", [False, True])
def test_one_list(mailed: MailedHost, by_name: bool) -> None:
    news = "news" if by_name else mailed.list_id("news")
    assert opt_out.from_host(mailed.host, ANN, wants_mail=False, list_=news)
    assert mailed.lists_of(ANN) == ["events", "offers"]
    assert opt_out.from_host(mailed.host, ANN, wants_mail=True, list_=news)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_one_topic(mailed: MailedHost) -> None:
    wine = Topic(name="Wine")
    mailed.host.session.add(wine)
    mailed.host.session.flush()
    assert opt_out.from_host(mailed.host, ANN, wants_mail=False, topic="Wine")
    assert opted_out_of(mailed.host, ANN, Wide(wine.id))
    assert not opted_out_of(mailed.host, ANN, Wide())
    assert opt_out.from_host(mailed.host, ANN, wants_mail=True, topic=wine.id)
    assert not opted_out_of(mailed.host, ANN, Wide(wine.id))


def test_a_wish_for_one_list_does_not_lift_an_opt_out_from_everything(mailed: MailedHost) -> None:
    opt_out.from_host(mailed.host, ANN, wants_mail=False)
    opt_out.from_host(mailed.host, ANN, wants_mail=True, list_="news")
    assert opted_out_of(mailed.host, ANN, Wide())


def test_what_is_unknown_is_refused_in_words(mailed: MailedHost) -> None:
    with pytest.raises(BadRequest, match="no list “nws”"):
        opt_out.from_host(mailed.host, ANN, wants_mail=False, list_="nws")
    with pytest.raises(BadRequest, match="no topic “4711”"):
        opt_out.from_host(mailed.host, ANN, wants_mail=False, topic=4711)
    with pytest.raises(BadRequest, match="not both"):
        opt_out.from_host(mailed.host, ANN, wants_mail=False, list_="news", topic="Wine")
    with pytest.raises(SetupError, match="no contact source"):
        opt_out.from_host(mailed.host, ContactRef("nobody", "1"), wants_mail=False)

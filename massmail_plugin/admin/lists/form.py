"""The forms of a list: what it is, who may sign up, and its words by language. The list screens enter; no commits."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from wtforms import BooleanField, SelectField, TextAreaField
from wtforms.validators import Length

from massmail_plugin.admin.frame.forms import ScreenForm, number_or_none, strip, text
from massmail_plugin.admin.lists.groups import chooser
from massmail_plugin.contracts import Host
from massmail_plugin.models import Criterion, List, Segment, Sender, Topic

LONGEST = 2000
WORDS = {
    "name": ("Name", "What the list is called."),
    "description": ("Description", "What kind of mail it is and how often it comes."),
    "sign_up": ("What people agree to when they sign up", "Kept with each sign-up, word by word."),
}
"""A kind of words -> (label, help)."""


def _area(label: str, help: str) -> Any:
    fits = Length(max=LONGEST, message=f"At most {LONGEST} characters fit here.")
    return TextAreaField(label, [fits], filters=[strip], description=help)


class ListForm(ScreenForm):
    """What a list is, for colleagues and for recipients."""

    name = text("Name", required="Give the list a name.", help="How you and your colleagues know it.")
    public_name = text("Public name", help="What recipients read. Empty means the name above.")
    description = _area("Description", "What kind of mail it is and how often it comes. Recipients read this too.")
    topic_id = SelectField("Topic", coerce=number_or_none, description="Recipients see their lists by topic.")
    segment_id = SelectField("Business segment", coerce=number_or_none, description="For you and your colleagues.")
    criterion_id = SelectField(
        "Kept by a criterion",
        coerce=number_or_none,
        description="Whom it finds is on the list as long as it finds them, except those who left. Others can be added "
        "by hand as well.",
    )
    sign_up = BooleanField("People may sign up on a page of their own", description="At an address you can publish.")
    double_opt_in = BooleanField(
        "Who signs up is asked by mail whether they meant it",
        description="Without it anybody can sign up anybody. Switch it off only where you know better.",
    )
    sender_id = SelectField("Sender of that mail", coerce=number_or_none)


def offer(host: Host, form: ListForm, list_: List | None) -> None:
    """Fill in what may be chosen."""
    form.topic_id.choices = chooser(host, Topic, list_.topic_id if list_ else None)
    form.segment_id.choices = chooser(host, Segment, list_.segment_id if list_ else None)
    form.criterion_id.choices = [("", "None: who is on it was put there"), *_named(host, Criterion)]
    form.sender_id.choices = [("", "The first active one"), *_named(host, Sender)]


def _named(host: Host, model: Any) -> list[tuple[str, str]]:
    found = host.session.execute(select(model.id, model.name).order_by(func.lower(model.name)))
    return [(str(number), name) for number, name in found]


def read_words(given: Mapping[str, str], languages: list[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The words by language that a form brings under names such as `de-name`, and what is wrong with them."""
    texts: dict[str, dict[str, str]] = {}
    faults = []
    for language in languages:
        for kind, (label, _) in WORDS.items():
            said = given.get(f"{language}-{kind}", "").strip()
            longest = 200 if kind == "name" else LONGEST
            if len(said) > longest:
                faults.append(f"{label} ({language}): at most {longest:,} characters fit here.")
            if said:
                texts.setdefault(language, {})[kind] = said
    return texts, faults

"""The form of a list as a visitor sees it, and what a posted one tells of the form that was seen. Reads only."""

import hashlib
from dataclasses import dataclass
from enum import Enum, auto

from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import BadLink
from massmail_plugin.models import List
from massmail_plugin.signed_links.sign_up_links import (
    MARK_BYTES,
    Shown,
    form_token,
    read_form_token,
    read_shown_token,
    shown_token,
)
from massmail_plugin.translations import Words

SECONDS_TO_FILL_IN = 2
"""Nobody is quicker than this; programs that post forms are."""
OPEN_HOURS = 24


@dataclass(frozen=True)
class Question:
    """A field of the form beside the address, in the visitor's language."""

    name: str
    label: str
    required: bool
    choices: tuple[str, ...]
    autocomplete: str
    longest: int


@dataclass(frozen=True)
class Form:
    """What a visitor reads; `words` are what they agree to, `shown` is sent back with what they fill in."""

    list_id: int
    token: str
    title: str
    description: str
    words: str
    language: str
    asks_by_mail: bool
    questions: tuple[Question, ...]
    shown: str


class NotOffered(BadLink):
    """The list whose form it was takes nobody new."""


class Reread(Enum):
    """What the `shown` of a posted form tells."""

    GOOD = auto()
    UNSEEN = auto()
    """It came from another web site, was open for too long, or its words have changed meanwhile."""
    TOO_QUICK = auto()


def form_of(host: Host, token: str, words: Words, *, organisation: str) -> Form:
    """The form at an address, in a language. Raises BadLink; NotOffered where the list has none (any more)."""
    list_ = host.session.get(List, read_form_token(host.config, token))
    if list_ is None or not (list_.active and list_.sign_up):
        raise NotOffered("This list takes no sign-ups.")
    return list_form(host, list_, words, organisation=organisation)


def list_form(host: Host, list_: List, words: Words, *, organisation: str) -> Form:
    """The form of a list, whether it is offered or not."""
    title = list_.title_in(words.language)
    agreed = list_.sign_up_words_in(words.language) or _usual_words(words, title, organisation)
    shown = Shown(list_.id, int(host.clock().timestamp()), _mark(words.language, agreed))
    return Form(
        list_id=list_.id,
        token=form_token(host.config, list_.id),
        title=title,
        description=list_.description_in(words.language),
        words=agreed,
        language=words.language,
        asks_by_mail=list_.double_opt_in,
        questions=_questions(source_of_visitors(host), words.language),
        shown=shown_token(host.config, shown),
    )


def reread(host: Host, form: Form, shown: str) -> Reread:
    """Whether what was posted with `shown` was seen as `form` is now, and long enough ago to have been read."""
    try:
        seen = read_shown_token(host.config, shown)
    except BadLink:
        return Reread.UNSEEN
    age = host.clock().timestamp() - seen.at
    same = seen.list_id == form.list_id and seen.mark == _mark(form.language, form.words)
    if not same or not 0 <= age <= OPEN_HOURS * 3600:
        return Reread.UNSEEN
    return Reread.GOOD if age >= SECONDS_TO_FILL_IN else Reread.TOO_QUICK


def source_of_visitors(host: Host) -> ContactSource:
    """The contact source that visitors who are no contacts yet belong to."""
    sources = list(host.sources.values())
    return next((source for source in sources if source.sign_up), sources[0])


def _usual_words(words: Words, title: str, organisation: str) -> str:
    _ = words
    return _(
        "%(organisation)s may write to me about “%(list)s”. I can end that at any time, by a link in every mail.",
        organisation=organisation,
        list=title,
    )


def _mark(language: str, words: str) -> bytes:
    return hashlib.sha256(f"{language}\n{words}".encode()).digest()[:MARK_BYTES]


def _questions(source: ContactSource, language: str) -> tuple[Question, ...]:
    return tuple(
        Question(one.name, one.label_in(language), one.required, tuple(one.choices), one.autocomplete, one.longest)
        for one in source.sign_up
    )

"""Looks an author's texts through before they are saved.

The template screen and the checklist enter; nothing is committed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import thread_time
from typing import Any

from liquid import BoundTemplate, Token
from liquid.exceptions import LiquidError, ResourceLimitError

from massmail_plugin.composing.expression_code import Known
from massmail_plugin.composing.generated_code import CannotCompile
from massmail_plugin.composing.html_source import start_tags
from massmail_plugin.composing.interests import interest_faults
from massmail_plugin.composing.known_names import FIXED, Name, known_names
from massmail_plugin.composing.links import LinkKind, kind_of, link_addresses, refused_addresses
from massmail_plugin.composing.name_check import Finding, findings, roots
from massmail_plugin.composing.template_code import compiled_text
from massmail_plugin.composing.template_filters import TooLarge
from massmail_plugin.composing.template_language import (
    HTML,
    PLAIN,
    MailLanguage,
    explained,
    parse,
    position,
    render,
)
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import TemplateError, TemplateFault

WAYS_OUT = {"unsubscribe_url", "preferences_url"}
"""Names one of which every mail must lead to."""

_NOWHERE = "\0"
"""Stands for a token where none is printed."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class _Part:
    name: str
    language: MailLanguage
    source: str


def check(host: Host, source: ContactSource, *, subject: str, html: str, text: str) -> None:
    """Raise TemplateError with every fault of the three parts; an empty part has none."""
    found = faults(host, source, subject=subject, html=html, text=text)
    if found:
        raise TemplateError(found)


def faults(host: Host, source: ContactSource, *, subject: str, html: str, text: str) -> list[TemplateFault]:
    """Everything that keeps the texts from being used, in the order of the parts and lines.

    Found are: syntax, unknown names and filters, loops and sizes beyond bounds (by a trial with example values),
    addresses that would run a script, control characters, a subject of several lines.
    """
    known = known_names(source)
    parts = _parts(subject, html, text)
    return [fault for part in parts for fault in sorted(_faults(host, part, known), key=_place)]


def warnings(host: Host, source: ContactSource, *, subject: str, html: str, text: str) -> list[str]:
    """What an author should know about texts without faults, in sentences."""
    return list(_warnings(host, known_names(source), _parts(subject, html, text)))


def parsed(part: str, language: MailLanguage, source: str) -> BoundTemplate:
    """Parse one part. Raises TemplateError that names the place."""
    try:
        return parse(language, source)
    except LiquidError as error:
        raise TemplateError([_fault(part, source, error.token, explained(error))]) from error


def _parts(subject: str, html: str, text: str) -> list[_Part]:
    return [_Part("subject", PLAIN, subject), _Part("html", HTML, html), _Part("text", PLAIN, text)]


def _place(fault: TemplateFault) -> tuple[int, int]:
    return fault.line, fault.column


def _faults(host: Host, part: _Part, known: Mapping[str, Name]) -> Iterator[TemplateFault]:
    yield from _characters(part)
    try:
        template = parsed(part.name, part.language, part.source)
    except TemplateError as error:
        yield from error.faults
        return
    for token, words in _findings(template, known):
        yield _fault(part.name, part.source, token, words)
    if part.name == "html":
        yield from _addresses(part.source)
        for one, words in interest_faults(part.source):
            yield _at("html", part.source, one.start, words)
    yield from _trial(host, part, template, known)


def _findings(template: BoundTemplate, known: Mapping[str, Name]) -> list[Finding]:
    try:
        return findings(template, known)
    except RecursionError as error:
        return [(None, explained(error))]


def _characters(part: _Part) -> Iterator[TemplateFault]:
    if part.name == "subject":
        words, found = "The subject must be one line without control characters.", _CONTROL.search(part.source)
    else:
        words, found = "There is a control character that mail cannot carry.", _UNFIT.search(part.source)
    if found:
        yield _at(part.name, part.source, found.start(), words)


def _addresses(html: str) -> Iterator[TemplateFault]:
    for one in refused_addresses(html):
        words = f"The address “{one.value.strip()[:40]}” would run a script or read a file; mails cannot have it."
        yield _at("html", html, one.start, words)


def _trial(host: Host, part: _Part, template: BoundTemplate, known: Mapping[str, Name]) -> Iterator[TemplateFault]:
    error = _tried(host, template, known)
    if isinstance(error, ResourceLimitError | TooLarge):
        yield _fault(part.name, part.source, error.token, explained(error))


def _tried(host: Host, template: BoundTemplate, known: Mapping[str, Name]) -> Exception | None:
    values: dict[str, Any] = {name: what.sample() for name, what in known.items()}
    deadline = thread_time() + host.config.render_seconds
    try:
        render(template, values, deadline=deadline, max_bytes=host.config.max_message_bytes)
    except Exception as error:
        # Whatever a filter makes of an example value; only what has to do with bounds is a fault.
        return error
    return None


def _warnings(host: Host, known: Mapping[str, Name], parts: list[_Part]) -> Iterator[str]:
    subject, html, text = parts
    if not subject.source.strip():
        yield "The subject is empty."
    if not html.source.strip() and not text.source.strip():
        yield "The message is empty."
    for part in parts:
        yield from _part_warnings(host, known, part)
    if html.source:
        yield from _html_warnings(html.source)
    yield from _slow(parts)


def _slow(parts: list[_Part]) -> Iterator[str]:
    """What keeps a mailing from full speed; the first reason is enough."""
    known = Known({name: what.sample() for name, what in FIXED.items() if name not in WAYS_OUT}, {}, _NOWHERE)
    try:
        for part in parts:
            compiled_text(parsed(part.name, part.language, part.source), known)
    except CannotCompile as why:
        yield f"Mails of this template are put together one by one, which is slower: {why}."


def _part_warnings(host: Host, known: Mapping[str, Name], part: _Part) -> Iterator[str]:
    template = parsed(part.name, part.language, part.source)
    if part.name != "subject" and part.source.strip() and not WAYS_OUT & roots(template):
        yield f"The {part.name} part has no unsubscribe link of its own; one is put at its end."
    error = _tried(host, template, known)
    if error is not None:
        yield f"With example values the {part.name} part cannot be built: {explained(error)}"


def _html_warnings(html: str) -> Iterator[str]:
    names = {tag.name for tag in start_tags(html)}
    if "script" in names:
        yield "There is a script; mail programs remove it or refuse the mail."
    if names & {"form", "iframe", "object", "embed"}:
        yield "There is a form or a frame; most mail programs do not show it."
    relative = [one.value for _, one in link_addresses(html) if kind_of(one.value) is LinkKind.RELATIVE]
    if relative:
        yield f"The link “{relative[0][:60]}” has no https:// and leads nowhere from a mail."


def _fault(part: str, source: str, token: Token | None, words: str) -> TemplateFault:
    return _at(part, source, position(token) or 0, words)


def _at(part: str, source: str, index: int, words: str) -> TemplateFault:
    line = source.count("\n", 0, index) + 1
    return TemplateFault(part, line, index - source.rfind("\n", 0, index), words)

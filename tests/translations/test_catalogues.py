"""The shipped catalogues: every message there, none left over, each asking for the same values, and no markup."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import polib
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from massmail_plugin.config import Config
from massmail_plugin.translations import languages, matching, words_in

CONFIG = Config()
SHIPPED = ("de", "es", "fr", "it")
PACKAGE = Path(str(files("massmail_plugin")))
PAGES = PACKAGE / "templates" / "massmail" / "public"
_VALUE = re.compile(r"%\((\w+)\)(.)")
_TRAILING = re.compile(r"[.?!:]*$")


class Message(NamedTuple):
    one: str
    many: str = ""


@cache
def messages() -> set[Message]:
    """Everything that the pages and the mails may say, read from their sources."""
    return {message for path in PACKAGE.rglob("*.py") for message in _of_module(path)} | {
        message for path in PAGES.glob("*.html") for message in _of_template(path)
    }


def _of_module(path: Path) -> Iterator[Message]:
    """`_("...")` and `_.plural("...", "...", n)`, also within f-strings."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)) if "_(" in source or ".plural(" in source else ():
        if not isinstance(node, ast.Call):
            continue
        named = node.func.id if isinstance(node.func, ast.Name) else ""
        if named == "_":
            yield Message(_literal(node.args[0], path))
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "plural" and _is_words(node.func.value):
            yield Message(_literal(node.args[0], path), _literal(node.args[1], path))


def _is_words(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("_", "words")


def _literal(node: ast.expr, path: Path) -> str:
    assert isinstance(node, ast.Constant), f"{path}:{node.lineno}: only a literal message can be found"
    return str(node.value)


def _of_template(path: Path) -> Iterator[Message]:
    parsed = Environment().parse(path.read_text(encoding="utf-8"))
    for _, function, said in extract_from_ast(parsed, babel_style=True):
        one, many = (said, "") if isinstance(said, str) else (said[0], said[1] if function == "ngettext" else "")
        assert None not in (one, many), f"{path}: only literal messages can be found"
        yield Message(one, many)


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(PACKAGE / "translations" / language / "LC_MESSAGES" / "massmail.po"))


def test_english_german_spanish_french_and_italian_are_shipped() -> None:
    assert languages(CONFIG) == ("en", *SHIPPED)


@pytest.mark.parametrize("language", SHIPPED)
def test_nothing_is_missing_and_nothing_left_over(language: str) -> None:
    """After a change of words: `make words`, then fill in what is new."""
    there = {Message(entry.msgid, entry.msgid_plural) for entry in catalogue(language)}
    assert there == messages()
    assert [entry.msgid for entry in catalogue(language) if not entry.translated()] == []


@pytest.mark.parametrize("language", SHIPPED)
def test_each_translation_asks_for_the_values_of_its_message(language: str) -> None:
    for entry in catalogue(language):
        wanted = set(_VALUE.findall(entry.msgid))
        for said in (entry.msgstr, *entry.msgstr_plural.values()):
            if said:
                assert set(_VALUE.findall(said)) == wanted, said


@pytest.mark.parametrize("language", SHIPPED)
def test_texts_are_plain_and_set_as_the_language_sets_them(language: str) -> None:
    for entry in catalogue(language):
        for said in filter(None, (entry.msgstr, *entry.msgstr_plural.values())):
            assert not re.search(r"[<>&{}]", said), said
            assert said == said.strip()
            assert "  " not in said
            assert '"' not in said
            assert "'" not in said, f"a straight apostrophe: {said}"
            assert _TRAILING.search(said.rstrip("\u00a0"))[0] == _TRAILING.search(entry.msgid)[0] or "?" in said, said
            if language == "fr":
                assert not re.search(r"[^\u202f][?!;]|[^\u00a0\d]:(?!//)|«[^\u00a0]|[^\u00a0]»", said), said
            else:
                assert not re.search(r"\s[?!;:]|«\s|\s»", said), said


@pytest.mark.parametrize("language", SHIPPED)
def test_one_is_told_from_many(language: str) -> None:
    words = words_in([language], CONFIG)
    said = {
        n: words.plural("The link works for %(number)s day.", "The link works for %(number)s days.", n) for n in (1, 2)
    }
    assert said[1].replace("1", "2") != said[2]
    assert "14" in words.plural("The link works for %(number)s day.", "The link works for %(number)s days.", 14)


@pytest.mark.parametrize(
    ("language", "first", "other"),
    [
        ("en", "1 May 2027", "23 March 2027"),
        ("de", "1. Mai 2027", "23. März 2027"),
        ("es", "1 de mayo de 2027", "23 de marzo de 2027"),
        ("fr", "1er mai 2027", "23 mars 2027"),
        ("it", "1º maggio 2027", "23 marzo 2027"),
    ],
)
def test_dates_are_written_out(language: str, first: str, other: str) -> None:
    words = words_in([language], CONFIG)
    assert (words.date(date(2027, 5, 1)), words.date(date(2027, 3, 23))) == (first, other)
    assert len({words.date(date(2027, month, 2)) for month in range(1, 13)}) == 12


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "“A”, “B” and “C”"),
        ("de", "„A“, „B“ und „C“"),
        ("es", "«A», «B» y «C»"),
        ("fr", "«\u00a0A\u00a0», «\u00a0B\u00a0» et «\u00a0C\u00a0»"),
        ("it", "«A», «B» e «C»"),
    ],
)
def test_names_stand_in_the_quotation_marks_of_the_language(language: str, said: str) -> None:
    words = words_in([language], CONFIG)
    assert words.named(["A", "B", "C"]) == said
    assert words.named(["%(name)s"]) == words.named(["A"]).replace("A", "%(name)s")
    assert words.named([]) == ""


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["de"], "de"),
        (["DE-at"], "de"),
        (["fr_CA.UTF-8"], "fr"),
        (["xx", "it"], "it"),
        (["", "-", "_", "."], None),
        (["deutsch"], None),
        ([], None),
    ],
)
def test_languages_are_known_however_they_are_written(wanted: list[str], found: str | None) -> None:
    assert matching(wanted, CONFIG) == found


def test_a_message_without_translation_is_shown_as_it_is() -> None:
    words = words_in(["de"], CONFIG)
    assert words("100 %% of %(what)s", what="it") == "100 % of it"

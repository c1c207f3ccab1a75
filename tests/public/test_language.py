"""The language of the pages: the link's, the contact's, the browser's, the house's; its own words above ours."""

import logging
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import List
from tests.public.mailed_host import ANN, BEN, MailedHost, Person, mailed_host

FIRST_WORDS = {
    "en": "Unsubscribe from “Monthly news”?",
    "de": "Von „Monthly news“ abmelden?",
    "es": "¿Darse de baja de «Monthly news»?",
    "fr": "Vous désabonner de «\u00a0Monthly news\u00a0»\u202f?",
    "it": "Vuoi annullare l’iscrizione a «Monthly news»?",
}


@pytest.fixture
def client(mailed: MailedHost) -> FlaskClient:
    return mailed.app.test_client()


def reads(mailed: MailedHost, who: ContactRef, locale: str) -> None:
    """The host knows this contact's language."""
    mailed.host.session.get_one(Person, int(who.key)).locale = locale
    mailed.host.session.commit()


@pytest.mark.parametrize("language", sorted(FIRST_WORDS))
def test_every_shipped_language_by_link(mailed: MailedHost, client: FlaskClient, language: str) -> None:
    page = client.get(f"/m/u/{mailed.token(BEN)}?lang={language}")
    assert FIRST_WORDS[language] in page.text
    assert f'<html lang="{language}">' in page.text
    assert page.headers["Content-Language"] == language
    assert f'action="/m/u/{mailed.token(BEN)}?lang={language}"' in page.text


@pytest.mark.parametrize(
    ("link", "contact", "browser", "expected"),
    [
        ("it", "de", "fr", "it"),
        ("", "de", "fr", "de"),
        ("", "de_AT", "fr", "de"),
        ("", "", "fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ("", "", "en;q=0.5,es;q=0.9", "es"),
        ("", "pt_BR", "it", "it"),
        ("xx", "", "", "en"),
        ("", "", "nl,da;q=0.8", "en"),
        ("../../etc/passwd", "\0", "*;q=x", "en"),
    ],
)
def test_the_link_goes_before_the_contact_and_the_contact_before_the_browser(
    mailed: MailedHost, client: FlaskClient, link: str, contact: str, browser: str, expected: str
) -> None:
    reads(mailed, BEN, contact)
    headers = {"Accept-Language": browser} if browser else {}
    page = client.get(f"/m/u/{mailed.token(BEN)}", query_string={"lang": link} if link else {}, headers=headers)
    assert FIRST_WORDS[expected] in page.text


def test_the_language_stays_from_page_to_page(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/u/{mailed.token(BEN)}"
    done = client.post(f"{address}?lang=de", data={"stop": "these"})
    assert "Sie sind abgemeldet" in done.text
    assert f'href="/m/p/{mailed.token(BEN)}?lang=de"' in done.text
    assert client.get(f"{address}/undo?lang=de").headers["Location"] == f"{address}?lang=de"


def test_every_page_can_be_had_in_every_language(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/u/{mailed.token(BEN)}"
    page = client.get(f"{address}?lang=fr&from=mail")
    for language, name in (("de", "Deutsch"), ("en", "English"), ("es", "Español"), ("it", "Italiano")):
        assert f'<a href="{address}?lang={language}&amp;from=mail" lang="{language}"' in page.text
        assert f">{name}</a>" in page.text
    assert '<span aria-current="true" lang="fr">Français</span>' in page.text


def test_what_stands_in_the_address_gets_nowhere_else(mailed: MailedHost, client: FlaskClient) -> None:
    query = {"_external": "1", "_scheme": "javascript", "_anchor": '"><script>', "lang": "de", "x": '"><script>'}
    page = client.get(f"/m/u/{mailed.token(BEN)}", query_string=query)
    assert page.status_code == 200
    assert "javascript:" not in page.text
    assert "<script" not in page.text
    broken = client.get("/m/u/%22%3E%3Cscript%3E//evil.example?lang=de")
    assert "<script" not in broken.text


def test_lists_have_the_names_the_house_gives_them_in_the_language(mailed: MailedHost, client: FlaskClient) -> None:
    news = mailed.host.session.get_one(List, mailed.list_id("news"))
    news.texts = {"de": {"name": "Monatsbrief", "description": "Neues, einmal im Monat."}}
    mailed.host.session.commit()
    assert "Von „Monatsbrief“ abmelden?" in client.get(f"/m/u/{mailed.token(BEN)}?lang=de").text
    assert "Neues, einmal im Monat." in client.get(f"/m/p/{mailed.token(ANN)}?lang=de").text
    assert "What is new at Fernhill" in client.get(f"/m/p/{mailed.token(ANN)}?lang=fr").text


# --- The house's own words ------------------------------------------------------------------------------------


def catalogue(folder: Path, language: str, words: dict[str, str]) -> None:
    path = folder / language / "LC_MESSAGES" / "massmail.po"
    path.parent.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    path.write_text(head + "".join(f'msgid "{one}"\nmsgstr "{other}"\n\n' for one, other in words.items()))


def served(name: str, **config: object) -> tuple[Flask, MailedHost]:
    app = Flask(name)
    return app, mailed_host(app, config=config)


def test_a_folder_of_the_host_changes_words_and_adds_languages(tmp_path: Path) -> None:
    catalogue(tmp_path, "de", {"Unsubscribe": "Weg damit"})
    catalogue(tmp_path, "nl", {"English": "Nederlands", "Unsubscribe": "Uitschrijven"})
    catalogue(tmp_path, "en", {"Unsubscribe": "Leave"})
    app, mailed = served("wording", translations=str(tmp_path))
    with app.app_context():
        address, client = f"/m/u/{mailed.token(BEN)}", app.test_client()
        german = client.get(f"{address}?lang=de").text
        assert ">Weg damit</button>" in german
        assert "Von „Monthly news“ abmelden?" in german
        dutch = client.get(f"{address}?lang=nl").text
        assert ">Uitschrijven</button>" in dutch
        assert "Stop all mails" in dutch
        assert 'lang="nl">Nederlands</span>' in dutch
        assert ">Leave</button>" in client.get(address).text


@pytest.mark.parametrize("text", ["not a catalogue", 'msgid "Unsubscribe"\nmsgstr', "\x00\xff"])
def test_a_catalogue_that_cannot_be_read_keeps_nobody_from_leaving(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue(tmp_path, "de", {})
    (tmp_path / "de" / "LC_MESSAGES" / "massmail.po").write_text(text)
    app, mailed = served("unreadable", translations=str(tmp_path))
    with app.app_context(), caplog.at_level(logging.ERROR):
        page = app.test_client().get(f"/m/u/{mailed.token(BEN)}?lang=de")
    assert "Von „Monthly news“ abmelden?" in page.text
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("wrong", ["Weg von %(nam)s", "Weg von %s %s", "100 % weg", "%(names)d"])
def test_a_translation_that_cannot_be_filled_in_gives_way_to_the_message(tmp_path: Path, wrong: str) -> None:
    catalogue(tmp_path, "de", {"Unsubscribe from %(names)s?": wrong})
    app, mailed = served("unfit", translations=str(tmp_path))
    with app.app_context():
        page = app.test_client().get(f"/m/u/{mailed.token(BEN)}?lang=de")
    assert "Unsubscribe from „Monthly news“?" in page.text


def test_a_house_may_offer_some_languages_only_its_own_first() -> None:
    app, mailed = served("house", languages=("de-CH", "fr", "tlh"))
    with app.app_context():
        address, client = f"/m/u/{mailed.token(BEN)}", app.test_client()
        assert FIRST_WORDS["de"] in client.get(address).text
        assert FIRST_WORDS["de"] in client.get(f"{address}?lang=it", headers={"Accept-Language": "en"}).text
        assert FIRST_WORDS["fr"] in client.get(address, headers={"Accept-Language": "en,fr;q=0.3"}).text
        assert "Italiano" not in client.get(address).text


def test_a_house_with_one_language_asks_nobody() -> None:
    app, mailed = served("one", languages=("de",))
    with app.app_context():
        page = app.test_client().get(f"/m/u/{mailed.token(BEN)}")
    assert FIRST_WORDS["de"] in page.text
    assert "<nav" not in page.text

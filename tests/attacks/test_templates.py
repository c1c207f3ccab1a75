"""Templates as weapons, through the form: nothing of the application is reached, nothing hangs or runs."""

import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from massmail_plugin.testing import run_jobs
from tests.attacks.crm import ADMIN, PASSWORD, Crm
from tests.attacks.test_sql import TEMPLATE

REACHING = (
    "{{ ''.__class__.__mro__ }}",
    "{{ config.SECRET_KEY }}",
    "{{ request.environ }}",
    "{{ session }}",
    "{{ g }}",
    "{{ url_for('admin.index') }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ contact.password_hash }}",
    "{{ contact._sa_instance_state }}",
    "{{ contact.query }}",
    "{{ contact.delete() }}",
    "{{ sender.secret }}",
    "{% include '/etc/passwd' %}",
    "{% render 'secrets.json' %}",
    "{% import 'os' as os %}",
    "{% autoescape false %}x{% endautoescape %}",
    "{% macro a() %}{{ a() }}{% endmacro %}",
    "{{ contact.first_name | safe }}",
)
SLOW = (
    "{% for a in (1..99999) %}{% for b in (1..99999) %}{% for c in (1..99999) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
)


def saved(crm: Crm, **fields: str):  # type: ignore[no-untyped-def]
    data = {**TEMPLATE, **fields, "csrf_token": crm.csrf("developer")}
    return crm.visitor("developer").post(f"{ADMIN}/templates/new", data=data)


@pytest.mark.parametrize("words", REACHING)
def test_nothing_of_the_application_can_be_named(standing: Crm, words: str) -> None:
    before = standing.state()
    for part in ("subject", "html"):
        answer = saved(standing, **{part: f"Hello {words}"})
        assert answer.status_code == 422, part
        assert "Line 1, column" in answer.text, part
        for secret in (PASSWORD, standing.app.config["SECRET_KEY"], "root:x:0", "<class"):
            assert secret not in answer.text
    assert standing.state() == before


@pytest.mark.parametrize("words", SLOW)
def test_what_never_ends_is_ended(crm: Crm, words: str) -> None:
    began = time.monotonic()
    answer = saved(crm, html=f"<p>{words}</p>")
    if answer.status_code == 302:
        page = crm.visitor("developer").get(answer.headers["Location"])
        assert page.status_code == 200
        assert len(page.data) < 1_000_000
    assert time.monotonic() - began < 12


def test_names_of_contacts_are_no_template_and_no_markup(crm: Crm) -> None:
    """A contact is called by a template, others by markup: in their mails both are plain words."""
    data = {"expected": "5", "csrf_token": crm.csrf("developer")}
    crm.visitor("developer").post(f"{ADMIN}/mailings/{crm.ids['draft_id']}/launch", data=data)
    run_jobs(crm.app)
    assert crm.carried.messages
    for message in crm.carried.messages:
        assert crm.app.config["SECRET_KEY"].encode() not in message.content
        assert b"root:x:0" not in message.content


def test_a_script_of_a_colleague_stays_in_a_closed_frame(standing: Crm) -> None:
    """The template of the CRM holds scripts and handlers; they are in no page but the frame that runs none."""
    page = standing.visitor("marketing").get(f"{ADMIN}/templates/{standing.ids['template_id']}")
    frames = LexborHTMLParser(page.text).css("iframe")
    assert frames
    for frame in frames:
        allowed = set((frame.attributes.get("sandbox") or "").split())
        assert "sandbox" in frame.attributes
        assert not allowed & {"allow-scripts", "allow-same-origin", "allow-forms", "allow-top-navigation"}
    for view in ("text", "source", "headers"):
        text = standing.visitor("marketing").get(f"{ADMIN}/templates/{standing.ids['template_id']}?view={view}").text
        assert "<script>alert" not in text
        assert "onload='alert" not in text


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>",
        "JaVaScRiPt:x",
        "file:///etc/passwd",
    ],
)
def test_a_link_leads_to_a_web_page_or_is_refused(crm: Crm, target: str) -> None:
    answer = saved(crm, html=f'<p><a href="{target}">go</a></p>')
    if answer.status_code == 302:
        shown = crm.visitor("developer").get(answer.headers["Location"]).text
        frame = LexborHTMLParser(shown).css_first("iframe")
        assert "alert(1)" not in (frame.attributes.get("srcdoc") or "")
    else:
        assert answer.status_code == 422

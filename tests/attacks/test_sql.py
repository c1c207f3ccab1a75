"""SQL, wildcards, odd numbers and naughty strings in every parameter and field: no error, nothing lost."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sample_host.crm.models import Contact, db
from tests.attacks import hostile
from tests.attacks.crm import ADMIN, PEOPLE, Crm, fill, mounted
from tests.attacks.doors import doors

PARAMETERS = (
    *("q", "page", "after", "before", "state", "reason", "contact", "source", "criterion", "address", "view", "seen"),
    *("contact_source", "contact_key", "sort", "order", "column", "one_off", "test", "step"),
)
RUDE = (hostile.DROP + hostile.WILDCARDS, "nul\x00byte", "²", "2147483648", "9" * 5000)
MAILING = {
    "name": "M",
    "template_id": "1",
    "from_name": "",
    "from_address": "",
    "reply_to": "",
    "bcc": "",
    "status-sent": "",
}
TEMPLATE = {
    "name": "T",
    "description": "",
    "topic_id": "",
    "segment_id": "",
    "subject": "S",
    "format": "html",
    "html": "<p>x</p>",
}
RULE = {
    "rule-glue": "all",
    "rule-0-what": "field:city",
    "rule-0-op": "is",
    "rule-0-value": "x",
    "contact_source": "contact",
}
RELATED = {"rule-0-what": "related:action_items", "rule-0-min": "1", "rule-0-glue": "all", "press": ""}
SENDER = {"name": "S", "provider": "smtp", "host": "mail.example.org", "port": "587", "security": "tls", "auth": "auto"}
FORMS: Mapping[str, Mapping[str, str]] = {
    "/mailings/new": {"name": "M"},
    "/mailings/{draft_id}/message": MAILING,
    "/mailings/{draft_id}/recipients": {
        "list_ids": "1",
        "criterion_id": "",
        "address_roles": "main",
        "one_per_address": "",
    },
    "/mailings/{draft_id}/schedule": {
        "sender_id": "",
        "start": "at",
        "day": "2999-01-01",
        "at": "09:00",
        "zone": "UTC",
    },
    "/mailings/{draft_id}/test": {"addresses": "me@example.org", "contact": "Anna"},
    "/mailings/{draft_id}/launch": {"expected": "6", "typed": "6"},
    "/templates/new": {**TEMPLATE, "based_on": "1", "sender_id": "", "status-read": ""},
    "/templates/{template_id}/edit": {**TEMPLATE, "based_on": "1", "text": ""},
    "/templates/{template_id}/test": {
        "addresses": "me@example.org",
        "sender_id": "",
        "contact": "1",
        "source": "contact",
    },
    "/criteria/count": {**RULE, **RELATED},
    "/criteria/lines": {**RULE, **RELATED},
    "/criteria/new": {**RULE, "name": "C", "description": ""},
    "/lists/new": {
        "name": "L",
        "public_name": "",
        "description": "",
        "topic_id": "1",
        "segment_id": "",
        "criterion_id": "",
        "sender_id": "",
    },
    "/lists/{spare_list_id}/add": {"contact_source": "contact", "contact_key": "6", "again": "1"},
    "/lists/{spare_list_id}/by-criterion": {"criterion": "1", "what": "on", "evidence": ""},
    "/lists/{spare_list_id}/words": {"de-name": "L", "de-description": "", "de-sign_up": ""},
    "/lists/topics/new": {"name": "T", "public_name": "", "description": ""},
    "/lists/opt-outs": {"criterion": "1", "what": "out", "topic": "1", "evidence": "Letters"},
    "/campaigns/new": {"name": "K", "description": "", "list_ids": "1", "sender_id": ""},
    "/campaigns/{campaign_id}/steps": {"day": "5", "template_id": "1"},
    "/senders/new": {**SENDER, "username": "", "secret": "", "from_name": "", "from_address": "a@example.org"},
    "/suppressions/new": {
        "address": "x@example.org",
        "scope": "",
        "note": "",
        "contact_source": "contact",
        "contact_key": "",
    },
    "/suppressions/{suppression_id}/release": {"note": ""},
    "/privacy/find": {"who": "anna@example.org"},
    "/privacy/address": {"address": "anna@example.org"},
    "/privacy/download": {"contact_source": "contact", "contact_key": "1"},
    "/privacy/erase": {"contact_source": "contact", "contact_key": "1", "note": "on request"},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, tmp_path: Path) -> Crm:
    """The filled CRM on each kind of database."""
    if request.param == "sqlite":
        crm: Crm = request.getfixturevalue("crm")
        return crm
    url = request.getfixturevalue("fresh_postgres_url").replace("postgresql://", "postgresql+psycopg://")
    app, provider = mounted(tmp_path / "on_postgres", SQLALCHEMY_DATABASE_URI=url)
    return Crm(app, fill(app), provider)


def test_no_parameter_breaks_a_page(attacked: Crm) -> None:
    visitor, broken = attacked.visitor("developer"), []
    for door in doors(attacked.app, attacked.ids, "GET"):
        for value in RUDE:
            answer = visitor.get(door.bare, query_string=dict.fromkeys(PARAMETERS, value))
            answer.close()
            broken += [(door.path, value[:40])] if answer.status_code >= 500 else []
    assert broken == []


def test_no_field_breaks_a_form(attacked: Crm) -> None:
    """One field after the other, the rest of the form being in order."""
    visitor, token, broken = attacked.visitor("developer"), attacked.csrf("developer"), []
    for path, form in FORMS.items():
        address = ADMIN + path.format(**attacked.ids)
        for name in form:
            for value in RUDE:
                answer = visitor.post(address, data={**form, name: value, "csrf_token": token})
                broken += [(path, name, value[:40])] if answer.status_code >= 500 else []
    assert broken == []
    with attacked.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Contact)) == 6


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("' OR 1=1 --", 0),
        ("%", 2),
        ("_", 2),
        ("\\", 1),
        ("100%_\\", 1),
        ("*", 0),
        ("anna@example.org", 1),
        ("DROP TABLE", 1),
    ],
)
def test_a_search_means_what_it_says(standing: Crm, text: str, hits: int) -> None:
    page = standing.visitor("developer").get(f"{ADMIN}/lists/{standing.ids['list_id']}", query_string={"q": text}).text
    assert sum(address in page for _, _, address in PEOPLE if address != "one@example.org") == hits


@pytest.mark.parametrize(
    "field", ["password_hash", "id) OR (1=1", "responsible.password_hash", "city;DROP", "__class__", ""]
)
def test_a_column_the_host_did_not_name_is_refused(standing: Crm, field: str) -> None:
    visitor, before = standing.visitor("developer"), standing.state()
    rule = {**RULE, "name": "Sly", "rule-0-what": f"field:{field}", "csrf_token": standing.csrf("developer")}
    assert visitor.post(f"{ADMIN}/criteria/new", data=rule).status_code == 422
    assert standing.state() == before


def test_rows_that_are_not_there_are_a_page(standing: Crm) -> None:
    visitor = standing.visitor("developer")
    for section in ("mailings", "campaigns", "criteria", "lists", "senders", "templates"):
        for number in ("0", "99999", "2147483648", "9" * 40, "9" * 5000, "-1", "abc", "1%00", "1'--", "[]"):
            assert visitor.get(f"{ADMIN}/{section}/{number}").status_code == 404, (section, number[:20])


@pytest.mark.parametrize(
    ("day", "zone"), [("0001-01-01", "Asia/Tokyo"), ("9999-12-31", "America/Lima"), ("2999-01-01", "../../etc/passwd")]
)
def test_a_moment_that_cannot_be_is_refused(standing: Crm, day: str, zone: str) -> None:
    form = {"sender_id": "", "start": "at", "day": day, "at": "00:00" if day < "1" else "23:59", "zone": zone}
    address = f"{ADMIN}/mailings/{standing.ids['draft_id']}/schedule"
    answer = standing.visitor("developer").post(address, data={**form, "csrf_token": standing.csrf("developer")})
    assert answer.status_code == 422

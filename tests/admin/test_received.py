"""The screens of what came in: found by state, origin, mail and address; a raw mail is text and nothing else."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Received
from massmail_plugin.vocabulary import MessageState, ReceivedState
from tests.admin.conftest import NOON, Catalogue, faults

RECEIVED = "/admin/massmail/received/"
HOSTILE = (
    "Subject: <script>alert(1)</script>\r\n\r\n</pre><img src=x onerror=alert(1)>\r\n\x1b[2J\u202e evil\r\n" + "x" * 500
).encode() + b"\xff\xfe\r\n"


@pytest.fixture
def rows(small_host: Catalogue) -> list[Received]:
    """A bounce about a mail of ours, a forged one, and ordinary mail whose bytes are gone."""
    session = small_host.host.session
    mailing = Mailing(name="Spring <i>news</i>", contact_source="contact", state="finished", created_at=NOON)
    session.add(mailing)
    session.flush()
    session.add(Chunk(mailing_id=mailing.id, number=1))
    message = OutboxMessage(
        mailing_id=mailing.id,
        chunk=1,
        contact_source="contact",
        contact_key="1",
        address_role="main",
        address="zoe@example.org",
        state=MessageState.SENT.value,
    )
    session.add(message)
    session.flush()
    made = [
        received(ReceivedState.MATCHED, "bounce", "zoe@example.org", message_id=message.id, note="550 5.1.1 <b>no</b>"),
        received(ReceivedState.UNMATCHED, "bounce", "ada@example.org", note="It holds no sign of a mail we sent."),
        received(ReceivedState.IGNORED, "none", "partner@example.org", raw=None),
    ]
    session.add_all(made)
    session.commit()
    return made


def received(state: ReceivedState, kind: str, address: str, **more: object) -> Received:
    values = {"raw": HOSTILE, "subject": "<script>alert(2)</script>", "size": 600_000, **more}
    return Received(
        origin="file", origin_id=f"{state}-{kind}", at=NOON, state=state.value, kind=kind, address=address, **values
    )


def test_everything_is_listed_and_found(small_host: Catalogue, rows: list[Received]) -> None:
    client, message_id = small_host.client(), rows[0].message_id
    whole = client.get(RECEIVED).text
    assert all(address in whole for address in ("zoe@example.org", "ada@example.org", "partner@example.org"))
    for question, found in (
        ("state=unmatched", ["ada"]),
        (f"message={message_id}", ["zoe"]),
        ("q=PARTNER", ["partner"]),
        ("origin=file&state=matched", ["zoe"]),
        ("origin=mailbox:9", []),
        ("state=matched&q=ada", []),
        ("message=99999999999999999999", ["zoe", "ada", "partner"]),
        ("q=%25", []),
    ):
        page = client.get(f"{RECEIVED}?{question}").text
        names = [name for name in ("zoe", "ada", "partner") if f"{name}@example.org</td>" in page]
        assert names == found, question


def test_a_bounce_leads_to_the_mail_and_the_person(small_host: Catalogue, rows: list[Received]) -> None:
    page = small_host.client().get(f"{RECEIVED}{rows[0].id}").text
    assert "Spring &lt;i&gt;news&lt;/i&gt;" in page
    assert "Zoë" in page
    assert "550 5.1.1 &lt;b&gt;no&lt;/b&gt;" in page


def test_what_strangers_wrote_is_text(small_host: Catalogue, rows: list[Received]) -> None:
    page = small_host.client().get(f"{RECEIVED}{rows[1].id}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "‹1b›[2J‹202e›" in page


def test_the_file_is_saved_and_never_shown(small_host: Catalogue, rows: list[Received]) -> None:
    answer = small_host.client().get(f"{RECEIVED}{rows[1].id}/file")
    assert answer.data == HOSTILE
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="received-{rows[1].id}.eml"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_may_not_see_people_sees_none_of_it(
    make_host: Callable[..., Catalogue],
) -> None:
    built = make_host("closed", permission=lambda user, act, subject: act != "people.view")
    for place in ("", "1", "1/file"):
        assert built.client().get(RECEIVED + place).status_code == 403


@pytest.mark.parametrize("place", ["999", "999/file", "99999999999999999999"])
def test_what_is_not_there(small_host: Catalogue, rows: list[Received], place: str) -> None:
    assert small_host.client().get(RECEIVED + place).status_code == 404


@pytest.mark.parametrize("width", [1280, 390])
def test_every_screen_in_a_browser(
    small_host: Catalogue, rows: list[Received], open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(small_host, width=width)
    for name in ("", "?state=unmatched", "?q=nobody", *(str(row.id) for row in rows)):
        page.goto(RECEIVED + name)
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


def test_nothing_came_in_yet(small_host: Catalogue, open_page: Callable[..., Page]) -> None:
    page = open_page(small_host)
    page.goto(RECEIVED)
    expect(page.get_by_role("heading", name="Nothing came in yet")).to_be_visible()
    assert faults(page) == []

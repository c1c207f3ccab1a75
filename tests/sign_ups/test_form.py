"""The form: what a posted one tells of what was seen, and the file that proves who agreed."""

import csv
import io

from massmail_plugin import sign_ups
from massmail_plugin.contracts import SignUpField
from massmail_plugin.sign_ups import Reread
from massmail_plugin.sign_ups.exporting import sign_up_export
from massmail_plugin.sign_ups.snippet import snippet
from massmail_plugin.signed_links.sign_up_links import form_token, sign_up_url
from tests.consent.small_host import add_list, clock
from tests.sign_ups.conftest import World


def test_a_form_must_have_been_seen_as_it_is_and_for_a_moment(world: World) -> None:
    form = world.form()
    assert sign_ups.reread(world.host, form, form.shown) is Reread.TOO_QUICK
    clock(world.host).tick(seconds=3)
    assert sign_ups.reread(world.host, world.form(), form.shown) is Reread.GOOD
    clock(world.host).tick(hours=25)
    assert sign_ups.reread(world.host, world.form(), form.shown) is Reread.UNSEEN


def test_other_words_another_list_or_no_word_of_ours_is_unseen(world: World) -> None:
    form, other = world.form(), add_list(world.host, "Offers", sign_up=True)
    clock(world.host).tick(seconds=3)
    strange = world.form(token=form_token(world.host.config, other.id))
    assert sign_ups.reread(world.host, strange, form.shown) is Reread.UNSEEN
    assert sign_ups.reread(world.host, world.form("de"), form.shown) is Reread.UNSEEN
    for shown in ("", form.token, form.shown[:-1] + "x", "x" * 40):
        assert sign_ups.reread(world.host, form, shown) is Reread.UNSEEN
    world.list_.texts = {"en": {"sign_up": "Something else."}}
    assert sign_ups.reread(world.host, world.form(), form.shown) is Reread.UNSEEN


def test_questions_are_asked_in_the_visitors_language(world: World) -> None:
    assert [one.label for one in world.form("de").questions] == ["Vorname", "City"]
    field = SignUpField("first", {"pt-BR": "Nome", "pt": "Nome próprio", "en": "First name"})
    assert [field.label_in(name) for name in ("pt_BR", "pt_PT", "xx")] == ["Nome", "Nome próprio", "Nome"]


def test_the_piece_for_web_sites_needs_nothing_but_html(world: World) -> None:
    html = snippet(world.host, world.list_, language="en")
    assert f'action="{sign_up_url(world.host.config, world.list_.id)}?lang=en" method="post"' in html
    assert "<script" not in html
    assert "<img" not in html


def test_the_file_holds_the_proof_of_each_and_no_formula(world: World) -> None:
    world.sign_up("zoe@example.org", answers={"first": "=1+1"})
    world.confirm(world.mails()[0])
    world.sign_up("ada@example.org")
    file = b"".join(sign_up_export(world.host, world.list_.id).bytes_as("csv")).decode("utf-8-sig")
    zoe, ada = csv.DictReader(io.StringIO(file))
    assert (zoe["address"], zoe["state"], zoe["from"]) == ("zoe@example.org", "confirmed", "198.51.100.7 Firefox")
    assert (zoe["version of the words"], zoe["words"][:8], zoe["first"]) == ("1", "Fernhill", "'=1+1")
    assert zoe["confirmed from"] == "2001:db8:1:2::7 Safari"
    assert (zoe["contact source"], zoe["contact key"]) == ("person", next(iter(world.on_list())))
    assert (ada["state"], ada["confirmed at"], ada["contact key"]) == ("waiting", "", "")

"""`flask massmail funnel` and `why`: before a mailing is filled and after."""

import pytest

from massmail_plugin import mailings
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope
from tests.cli.conftest import Terminal

Drafted = tuple[str, list[str]]


@pytest.fixture
def drafted(terminal: Terminal) -> Drafted:
    """A draft to three members, the second of whom has complained, and one who is not on the list."""
    world, host = terminal.world, terminal.host
    people = world.members(4)
    world.join(*people[:3])
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL
    suppress(host, contact=ContactRef("members", people[1]), scope=scope, reason=SuppressionReason.COMPLAINT)
    made = mailings.create(
        host,
        name="Spring news",
        contact_source="members",
        by="ada",
        list_ids=[world.list_id],
        template_id=world.template("Spring"),
        sender_id=world.sender_id,
    )
    host.session.commit()
    return str(made.id), people


def test_the_funnel_in_steps(terminal: Terminal, drafted: Drafted) -> None:
    number, _ = drafted
    steps = {step["name"]: step for step in terminal.json("funnel", number)}
    assert (steps["listed"]["count"], steps["allowed"]["left_out"], steps["will_get"]["count"]) == (3, 1, 2)
    shown = terminal.run("funnel", number)
    assert "suppressed" in shown
    assert "excluded list" not in shown, "steps this mailing does not take are left out"
    assert "no mailing 99" in terminal.run("funnel", "99", code=1)


def test_why_before_and_after(terminal: Terminal, drafted: Drafted) -> None:
    number, (gets_it, complained, _, stranger) = drafted
    assert terminal.json("why", number, gets_it)["gets_it_now"] is True
    answer = terminal.json("why", number, complained)
    assert (answer["filled"], answer["gets_it_now"], answer["steps_now"][-1]["name"]) == (False, False, "allowed")
    assert "Marked a mail as unwanted" in terminal.run("why", number, complained)
    assert "never was" in terminal.run("why", number, stranger)
    assert "no such contact" in terminal.run("why", number, "4711")
    mailings.launch(terminal.host, terminal.host.session.get_one(Mailing, int(number)), by="ada")
    terminal.host.session.commit()
    mailings.fill_launched(terminal.host)
    assert "planned: " in terminal.run("why", number, gets_it)
    assert "(suppressed)" in terminal.run("why", number, complained)
    assert "not meant for this contact" in terminal.run("why", number, stranger)

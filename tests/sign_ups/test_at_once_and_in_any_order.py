"""Two at once count as one; in whatever order things happen, who is on the list confirmed it after they last left."""

import threading
from collections.abc import Callable

from flask import Flask, current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from massmail_plugin import consent, sign_ups
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.consent.proof import Proof
from massmail_plugin.hosting import tune
from massmail_plugin.jobs.scheduler import tick
from massmail_plugin.models import SignUp
from massmail_plugin.sign_ups import Taken
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import clock
from tests.sign_ups.conftest import HOME, World

AT_ONCE = 4
STEPS = st.lists(st.sampled_from(["sign up", "confirm", "leave", "leave all", "wait"]), max_size=9)
_example = iter(range(10**6))


def together(world: World, act: Callable[[], object]) -> None:
    """Several threads do the same, each with a session of its own."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ready, wrong = threading.Barrier(AT_ONCE), list[BaseException]()

    def run() -> None:
        with app.app_context():
            ready.wait()
            try:
                act()
                world.host.session.commit()
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def settle(world: World) -> None:
    """The engine as hosts have it; what the test holds is let go."""
    world.host.session.rollback()
    world.host.db.engine.dispose()
    tune(world.host.db.engine)


def test_a_form_that_is_posted_twice_at_once_is_one_sign_up(world: World) -> None:
    form = world.form()
    entry = sign_ups.Entry("zoe@example.org", {})
    settle(world)
    together(world, lambda: sign_ups.take(world.host, form, entry, HOME))
    assert len(world.rows()) == len(world.mails()) == 1


def test_a_confirmation_that_is_posted_twice_at_once_makes_one_contact(world: World) -> None:
    world.sign_up("zoe@example.org")
    number = world.rows()[0].id
    settle(world)
    together(world, lambda: sign_ups.confirm(world.host, number, HOME))
    assert len(contacts_at(world.host, "zoe@example.org")) == len(world.history()) == 1


def test_the_schedulers_tick_takes_care_of_sign_ups(world: World) -> None:
    world.list_.double_opt_in = False
    world.host.session.commit()
    world.sign_up("zoe@example.org")
    assert tick(world.host)
    assert len(world.on_list()) == 1


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_on_the_list_is_who_confirmed_after_they_last_left(world: World, steps: list[str]) -> None:
    address, waiting, on = f"n{next(_example)}@example.org", list[int](), False
    told = Proof(ConsentWay.PERSON, evidence="said so")
    for step in steps:
        if step == "wait":
            world.pass_time(hours=20)
        contact = next(iter(contacts_at(world.host, address)), None)
        if step == "sign up":
            clock(world.host).tick(hours=9)
            assert world.sign_up(address) is Taken.THANKS
            found = select(SignUp.id).where(SignUp.address == address, SignUp.state == "waiting")
            waiting = list(world.host.session.scalars(found))
        elif step == "confirm" and waiting:
            sign_ups.confirm(world.host, waiting[-1], HOME)
            on, waiting = True, []
        elif step.startswith("leave") and contact is not None:
            lists = [world.list_.id] if step == "leave" else None
            consent.withdraw(world.host, contact, list_ids=lists, proof=told)
            on = False
        world.host.session.commit()
    contact = next(iter(contacts_at(world.host, address)), None)
    assert (contact is not None and contact.key in world.on_list()) == on
    assert not on or contact is None or not consent.opted_out_of_everything(world.host, contact)

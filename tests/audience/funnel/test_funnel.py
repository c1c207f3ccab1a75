"""In worlds made at random: the outbox, the funnel, the people behind its steps and "why?" all say the same."""

from hypothesis import HealthCheck, given, settings

from massmail_plugin.audience.funnel.explain import explain
from massmail_plugin.audience.funnel.left_out import left_out
from massmail_plugin.audience.funnel.selection import select_recipients
from massmail_plugin.audience.funnel.steps import STAGES, WILL_GET, funnel
from massmail_plugin.contracts import ContactRef, Host
from tests.audience.funnel.audience_worlds import World, build, expected, step_of, worlds

SOME = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEW = settings(SOME, max_examples=8)


@SOME
@given(world=worlds())
def test_whoever_gets_it_and_why_not(host: Host, world: World) -> None:
    build(host, world)
    rows = host.session.execute(select_recipients(host, world.request)).all()
    steps = {step.name: step for step in funnel(host, world.request)}
    host.session.rollback()
    wanted = expected(world)
    assert {(row.contact_key, row.address_role): row.skip_reason for row in rows} == wanted
    assert len(rows) == len(wanted)
    fell = [step_of(world, key, wanted) for key in world.people]
    assert steps["listed"].count == len(fell) - fell.count("unlisted")
    assert {stage.name: steps[stage.name].left_out for stage in STAGES} == {
        stage.name: fell.count(stage.name) for stage in STAGES
    }
    assert steps["unique"].count == fell.count("will_get")
    assert steps["will_get"].count == list(wanted.values()).count(None)
    assert all(steps[stage.name].taken or not steps[stage.name].left_out for stage in STAGES)


@FEW
@given(world=worlds())
def test_the_people_behind_each_step_and_the_answer_to_each_of_them(host: Host, world: World) -> None:
    build(host, world)
    groups = [*(stage.name for stage in STAGES), WILL_GET.name]
    behind = {name: [one.ref.key for one in left_out(host, world.request, name)] for name in groups}
    answers = {key: explain(host, world.request, ContactRef("person", key)) for key in world.people}
    host.session.rollback()
    rows = expected(world)
    fell = {key: step_of(world, key, rows) for key in world.people}
    assert behind == {name: sorted((key for key in fell if fell[key] == name), key=int) for name in groups}
    for key, answer in answers.items():
        last = answer.steps[-1]
        assert ("unlisted" if last.name == "listed" else last.name) == fell[key]
        assert answer.gets_it == (fell[key] == "will_get")
        assert all(step.passed for step in answer.steps[:-1])
        assert answer.gets_it or last.words or last.name == "active", "whoever is left out is told why"

"""Rounds, medians, verdicts, and the last line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import figures
from bench.__main__ import CONTESTS
from bench.figures import Figure
from bench.findings import Findings, interleave, ratios
from bench.ground import Size
from bench.table import results, table, write

WANTED = {
    "engine.rate",
    "engine.vs_smtp_source.one",
    "engine.vs_smtp_source.one_asyncio",
    "engine.vs_smtp_source.two",
    "engine.vs_naive_cpu",
    "engine.vs_smtp_source.logic",
    "engine.cpu_us",
    "engine.vs_post_office",
    "engine.rss_over_idle_mb",
    "engine.rss_growth",
    "fill.vs_bare",
    "panel.growth",
    "sqlite.vs_postgresql",
    "relay_20ms.rate",
    "dkim.rate",
    "costs.mark",
    "costs.limits",
    "costs.recheck",
}


def test_every_figure_belongs_to_a_contest():
    offered = [figure.key for _, made in CONTESTS.values() for figure in made]
    assert set(offered) >= WANTED
    assert len(offered) == len(set(offered))


def test_every_contestant_runs_in_every_round_and_every_other_round_goes_backwards():
    ran: list[str] = []

    def contestant(name: str) -> dict[str, float]:
        ran.append(name)
        return {"rate": len(ran)}

    found = interleave({name: lambda name=name: contestant(name) for name in "abc"}, 3, lambda words: None)
    assert "".join(ran) == "abccbaabc"
    assert ratios(found["a"], found["c"], "rate") == [1 / 3, 6 / 4, 7 / 9]


@given(value=st.floats(0.001, 1e9), target=st.floats(0.001, 1e9))
def test_a_verdict_is_ok_exactly_where_the_target_is_reached(value: float, target: float):
    assert (Figure("a", "", least=target).verdict(value) == "ok") == (value >= target)
    assert (Figure("a", "", most=target).verdict(value) == "ok") == (value <= target)
    assert Figure("a", "").verdict(value) == ""


def test_the_last_line_holds_every_figure_under_its_key(tmp_path: Path):
    findings = Findings()
    findings.add("relay_20ms.rate", [3000, 5000, 4500, 4400, 9000])
    findings.left_out["dkim.rate"] = "Postfix is missing."
    line = write(results(findings, vars(Size()), 12.3), tmp_path / "results.json")
    assert json.loads(line) == json.loads((tmp_path / "results.json").read_text())
    found = json.loads(line)
    assert found["relay_20ms.rate"] == 4500
    assert found["spread"]["relay_20ms.rate"] == {"median": 4500, "min": 3000, "max": 9000, "rounds": 5}
    assert found["left_out"] == {"dkim.rate": "Postfix is missing."}


@pytest.mark.parametrize(("reached", "verdict"), [(4500, "ok"), (3000, "short by 25%")])
def test_the_table_says_what_was_reached_and_what_was_left_out(reached: float, verdict: str):
    findings = Findings()
    findings.add("relay_20ms.rate", [reached])
    findings.left_out["dkim.rate"] = "Postfix is missing."
    lines = table([*figures.RELAY, *figures.DKIM], findings).splitlines()
    assert lines[1].endswith(verdict)
    assert ">= 4,000" in lines[1]
    assert "not measured" in lines[2]
    assert lines[-1] == "Left out: dkim.rate. Postfix is missing."

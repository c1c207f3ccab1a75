"""The verdict over the hits of one mail: who counts as a person, and why the others do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.feedback.machines import REACH, Hit, judge
from massmail_plugin.vocabulary import EventKind
from tests.feedback.machines.visits import APPLE, CHROME, FIREFOX, GMAIL, SENT, clicked, opened


def reasons(*hits: Hit) -> list[str]:
    return judge(hits, SENT)


# --- People ---------------------------------------------------------------------------------------------------


def test_somebody_reads_clicks_comes_back_and_clicks_again() -> None:
    assert reasons(opened(60), clicked(1, 75), opened(90), clicked(2, 95), clicked(1, 98), clicked(1, 98.2)) == [""] * 6


def test_two_links_in_a_few_seconds_are_a_person() -> None:
    assert reasons(opened(600), clicked(1, 603), clicked(2, 606)) == ["", "", ""]


def test_a_quick_reader_is_a_person() -> None:
    """Soon after sending is never enough by itself."""
    assert reasons(opened(2), clicked(1, 5)) == ["", ""]


def test_two_people_of_one_household() -> None:
    assert reasons(opened(60, CHROME), opened(61, FIREFOX), clicked(1, 70, CHROME), clicked(1, 71)) == [""] * 4


# --- Programs that say so, or cannot be anything else ---------------------------------------------------------


@pytest.mark.parametrize(
    ("request_signs", "reason"),
    [("HEAD", "head"), ("prefetch", "prefetch"), ("part", "part"), ("hidden-link", "hidden_link")],
)
def test_what_no_reader_does(request_signs: str, reason: str) -> None:
    assert reasons(clicked(1, request=f"{request_signs} no-language")) == [reason]
    assert reasons(opened(request=request_signs)) == [reason]


def test_image_proxies_are_kept_apart_and_never_click() -> None:
    assert reasons(opened(60, APPLE), opened(60, GMAIL), clicked(1, 600, APPLE)) == ["proxy", "proxy", "robot"]


def test_a_proxy_says_nothing_against_its_reader() -> None:
    """Gmail fetches the pixel when the mail is opened; the click comes from the reader's own browser."""
    assert reasons(opened(4, GMAIL), clicked(1, 8, CHROME)) == ["proxy", ""]


# --- The company a hit comes in -------------------------------------------------------------------------------


def test_a_burst_over_many_links_takes_its_first_hits_along() -> None:
    scan = [opened(600, CHROME), clicked(1, 601, CHROME), clicked(2, 603.5, CHROME), clicked(3, 606, CHROME)]
    assert reasons(*scan) == ["burst"] * 4
    assert reasons(*scan[:-1]) == [""] * 3, "without the third link it could be a person"


def test_a_burst_may_change_its_name_with_each_link() -> None:
    agents = [CHROME, FIREFOX, CHROME.replace("131", "120"), CHROME.replace("131", "119")]
    assert reasons(*(clicked(n, 600 + 2 * n, agent) for n, agent in enumerate(agents, 1))) == ["burst"] * 4


def test_two_links_within_two_seconds_are_a_burst() -> None:
    assert reasons(clicked(1, 600), clicked(2, 601.9)) == ["burst", "burst"]
    assert reasons(clicked(1, 600), clicked(1, 600.1)) == ["", ""], "a double click"


def test_the_reader_comes_after_the_scanner() -> None:
    scan = [clicked(n, 3 + n / 2, CHROME) for n in range(1, 6)]
    assert reasons(*scan, opened(300, CHROME), clicked(2, 310, CHROME)) == ["burst"] * 5 + ["", ""]


def test_who_finds_the_hidden_link_is_a_machine_however_slow() -> None:
    slow = [clicked(n, 600 + 9 * n, CHROME) for n in range(1, 6)]
    hidden = clicked(None, 640, CHROME, request="hidden-link")
    assert reasons(*slow) == [""] * 5
    assert reasons(*slow, hidden) == ["hidden_link"] * 6
    assert reasons(*slow, clicked(4, 660, FIREFOX), hidden)[5] == "", "another browser, long after"
    assert reasons(*slow, clicked(4, 645, FIREFOX), hidden)[5] == "hidden_link", "another name, at the same time"
    assert reasons(clicked(1, 640 + REACH.total_seconds() + 0.1, CHROME), hidden)[0] == ""


def test_who_asks_by_head_first_is_a_machine() -> None:
    assert reasons(clicked(1, 600, CHROME, "HEAD"), clicked(1, 601, CHROME)) == ["head", "head"]
    assert reasons(clicked(1, 600, "Safelinks", "HEAD"), clicked(1, 602, CHROME)) == ["head", ""], (
        "a filter looks at the link at the moment its reader clicks"
    )


@pytest.mark.parametrize(
    "company",
    [
        [clicked(1, 4, CHROME, "no-language")],
        [clicked(1, 4, CHROME), clicked(2, 8, CHROME)],
        [clicked(1, 4, CHROME), clicked(1, 5, "Barracuda Sentinel (EE)")],
    ],
)
def test_so_soon_a_second_sign_is_enough(company: list[Hit]) -> None:
    assert judge(company, SENT)[0] == "too_soon"
    later = [Hit(kind=h.kind, at=h.at + 10 * REACH, link=h.link, user_agent=h.user_agent, request=h.request)
             for h in company]  # fmt: skip
    assert judge(later, SENT)[0] == ""
    assert judge(company, None)[0] == "", "when it left is not known"


def test_a_mail_program_that_names_no_language_may_open_at_once() -> None:
    outlook = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.4266; ms-office; MSOffice 16)"
    assert reasons(opened(3, outlook, "no-language")) == [""]


# --- Whatever the order ---------------------------------------------------------------------------------------

AGENTS = st.sampled_from([CHROME, FIREFOX, GMAIL, APPLE, "curl/8.5.0", ""])
SIGNS = st.sampled_from(["", "", "", "", "HEAD", "prefetch", "part", "hidden-link", "no-language"])
HITS = st.lists(
    st.builds(
        lambda link, seconds, agent, signs: clicked(link, seconds, agent, signs) if link else opened(seconds, agent),
        st.integers(0, 5),
        st.integers(-20, 1200).map(lambda quarters: quarters / 4),
        AGENTS,
        SIGNS,
    ),
    max_size=40,
)


@given(hits=HITS, data=st.data())
def test_the_order_does_not_matter(hits: list[Hit], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(hits))))
    expected = judge(hits, SENT)
    assert judge([hits[place] for place in order], SENT) == [expected[place] for place in order]


@given(hits=HITS, data=st.data())
def test_late_hits_change_nothing_farther_away_than_the_reach(hits: list[Hit], data: st.DataObject) -> None:
    """What a drain relies on: hits around the late ones, judged with their own neighbours, are all it needs."""
    late = data.draw(st.sets(st.sampled_from(range(len(hits))) if hits else st.nothing()))
    early = [place for place in range(len(hits)) if place not in late]
    verdicts = dict(zip(early, judge([hits[place] for place in early], SENT), strict=True))
    for place in sorted(late):
        known = [*verdicts, place]
        near = [one for one in known if abs(hits[one].at - hits[place].at) <= 2 * REACH]
        again = dict(zip(near, judge([hits[one] for one in near], SENT), strict=True))
        verdicts |= {one: why for one, why in again.items() if abs(hits[one].at - hits[place].at) <= REACH}
    assert [verdicts[place] for place in range(len(hits))] == judge(hits, SENT)


@given(hits=HITS)
def test_a_person_is_never_made_by_more_hits(hits: list[Hit]) -> None:
    before = judge(hits, SENT)
    after = judge([*hits, clicked(9, 20.0, CHROME)], SENT)
    assert all(later or not earlier for earlier, later in zip(before, after, strict=False))


@given(hits=HITS)
def test_each_verdict_follows_from_the_rules_read_one_by_one(hits: list[Hit]) -> None:
    """The quick way through sorted moments against a slow one that compares every hit with every other."""
    for hit, found in zip(hits, judge(hits, SENT), strict=True):
        (alone,) = judge([hit], None)
        assert found == (alone or _slowly(hit, hits))


def _slowly(hit: Hit, hits: list[Hit]) -> str:
    def around(seconds: float) -> list[Hit]:
        return [one for one in hits if abs((one.at - hit.at).total_seconds()) <= seconds]

    def burst(number: int, within: float) -> bool:
        """Whether clicks within that time, all of them near the hit, led to so many links."""
        near = [one for one in around(10) if one.kind is EventKind.CLICK]
        spans = [
            [one.link for one in near if 0 <= (one.at - first.at).total_seconds() <= within and one.link]
            for first in near
        ]
        return any(len(set(links)) >= number for links in spans)

    same = [one for one in around(60) if one.user_agent == hit.user_agent]
    if any("hidden" in one.request for one in [*around(10), *same]):
        return "hidden_link"
    if burst(2, 2) or burst(3, 5) or burst(4, 10):
        return "burst"
    if any("HEAD" in one.request and one in around(10) for one in same):
        return "head"
    if (hit.at - SENT).total_seconds() > 30:
        return ""
    at_work = [judge([one], None)[0] not in ("", "proxy", "prefetch") for one in around(10)]
    wordless = hit.kind is EventKind.CLICK and "no-language" in hit.request
    return "too_soon" if wordless or burst(2, 10) or any(at_work) else ""

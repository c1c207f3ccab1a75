"""What a click means, said by the author at the link: read, checked, and not sent along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.composing.html_source import start_tags
from massmail_plugin.composing.interests import Interest, interest_faults, interest_of
from massmail_plugin.composing.links import LinkBook, with_counted_addresses, with_counted_links


def counted(html, count=True):
    book = LinkBook()
    made = with_counted_links(html, book, count=count)
    return made, list(book.links.values())


@pytest.mark.parametrize(
    "said",
    [
        'data-interest="garden" data-score="5"',
        "data-score=5 DATA-INTEREST=garden",
        "data-interest = 'garden' data-score='+5'",
    ],
)
def test_interest_and_score_are_read_and_taken_out(said):
    html = f'<p><a class="x" {said} href="https://shop.example/" title="t">Go</a></p>'
    made, (link,) = counted(html)
    assert link.interest == Interest("garden", 5)
    assert made == '<p><a class="x" href="{{ massmail_links[1] }}" title="t">Go</a></p>'


def test_they_are_taken_out_where_clicks_are_not_counted():
    made, links = counted('<a href="https://shop.example/" data-interest="garden">Go</a>', count=False)
    assert (made, links) == ('<a href="https://shop.example/">Go</a>', [])


def test_the_same_address_with_another_meaning_is_another_link_and_a_text_names_the_first():
    html = '<a href="https://s.example/" data-score=1>1</a><a href="https://s.example/" data-score=2>2</a>'
    book = LinkBook()
    with_counted_links(html + '<a href="https://s.example/" data-score="1">3</a>', book, count=True)
    assert [(link.number, link.interest.score) for link in book.links.values()] == [(1, 1), (2, 2)]
    assert with_counted_addresses("See https://s.example/", book) == "See {{ massmail_links[1] }}"


@pytest.mark.parametrize(
    "said",
    [
        'data-score="many"', 'data-score="1.5"', 'data-score="1000000"', 'data-score=""', 'data-interest=""',
        f'data-interest="{"x" * 41}"', 'data-interest="{{ contact.city }}"', 'data-score="{{ contact.balance }}"',
    ],
)  # fmt: skip
def test_what_is_neither_code_nor_number_is_a_fault_and_counts_as_nothing(said):
    html = f'<a href="https://s.example/" {said}>x</a>'
    assert len(list(interest_faults(html))) == 1
    assert [interest_of(tag) for tag in start_tags(html)] == [Interest()]


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_written_nothing_of_it_leaves(code, score):
    quoted = [value.replace("&", "&amp;").replace('"', "&quot;") for value in (code, score)]
    html = f'<a href="https://s.example/" data-interest="{quoted[0]}" data-score="{quoted[1]}">x</a>'
    if "{{" not in html and "{%" not in html:
        made, _ = counted(html)
        assert made == '<a href="{{ massmail_links[1] }}">x</a>'

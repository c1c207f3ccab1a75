"""The standard work item: one mail that every contestant sends, and the people who get it.

10.6 KB of HTML, a text part, eight merge fields, twelve tracked links, an open pixel, List-Unsubscribe: about 13 KB on
the wire. The words are Liquid and, where they print plain values only, Jinja and Django's language too.
"""

from dataclasses import dataclass

FIELDS = ("first_name", "last_name", "company", "city", "plan", "renewal", "amount", "coupon")
SENDER = "news@bench.example"
SENDER_NAME = "Ashgrove Makers"
SUBJECT = "{{ contact.first_name }}, the winter catalogue for {{ contact.company }}"

FIRST_NAMES = ("Ann", "Zoë", "José", "Priya", "Tom", "Yuki 由紀", "Maeve", "Łukasz")
LAST_NAMES = ("O'Neil", "Fischer", "Kowalska", "Smith", "García", "Tanaka", "Brown", "Dupont")
COMPANIES = ("Firm & Sons", "Hill Carpentry", "Atelier Sud", "North Timber Ltd")
CITIES = ("Genève", "Oslo", "Leeds", "Gdańsk", "Lyon")
PLANS = ("Gold", "Silver", "Bronze")
PRODUCTS = ("Oak stool", "Beech bench", "Ash ladder", "Elm bowl")

LINKS = tuple(
    f"https://shop.bench.example/catalogue/2026/winter/piece-{number}?utm_source=letter&utm_campaign=winter&ref={number}"
    for number in range(1, 13)
)
STYLE = 'style="font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5;color:#223344;margin:0 0 12px 0;"'
WORDS = (
    "It is made by two people in our own small workshop from wood that grew within a day's walk – planed, joined and "
    "oiled by hand. Every joint can be opened and mended, and we keep the parts for twenty years."
)
MORE_WORDS = (
    " It travels in straw and cardboard, without any plastic, and arrives at your door within one week of your order."
)

GREETING = """<h1 STYLE>Hello {{ contact.first_name }} {{ contact.last_name }}</h1>
<p STYLE>Greetings to everyone at {{ contact.company }} in {{ contact.city }}. Your {{ contact.plan }} plan is renewed
on {{ contact.renewal }} for {{ contact.amount }}. Your code is <b>{{ contact.coupon }}</b>.</p>
"""
GREETING_BY_LOGIC = """<h1 STYLE>Dear {{ contact.first_name | default: "friend" }} {{ contact.last_name | upcase }}</h1>
<p STYLE>Greetings to everyone at {{ contact.company | truncate: 40 }} in {{ contact.city | capitalize }}.
{% if contact.plan == "Gold" %}Your Gold plan comes with free delivery{% elsif contact.plan == "Silver" %}Your Silver
plan is renewed on {{ contact.renewal }}{% else %}A larger plan costs {{ contact.amount }}{% endif %}.
Your code is <b>{{ contact.coupon | downcase }}</b>.</p>
<ul>{% for order in contact.orders %}<li STYLE>{{ forloop.index }}. {{ order.title | upcase }}:
{{ order.total | round: 2 }}</li>{% endfor %}</ul>
"""
GREETING_AS_TEXT = """Hello {{ contact.first_name }} {{ contact.last_name }},

Greetings to everyone at {{ contact.company }} in {{ contact.city }}. Your {{ contact.plan }} plan is renewed on
{{ contact.renewal }} for {{ contact.amount }}. Your code is {{ contact.coupon }}.
"""
GREETING_AS_TEXT_BY_LOGIC = """Hello {{ contact.first_name | default: "friend" }} {{ contact.last_name | upcase }},

{% if contact.plan == "Gold" %}Your Gold plan comes with free delivery.{% else %}Your plan is renewed on
{{ contact.renewal }}.{% endif %} Your code is {{ contact.coupon | downcase }}.
{% for order in contact.orders %}- {{ order.title | upcase }}: {{ order.total | round: 2 }}
{% endfor %}"""


@dataclass(frozen=True)
class Words:
    """A template as its author saves it."""

    subject: str
    html: str
    text: str


def _html(greeting: str) -> str:
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Winter at Ashgrove</title></head>\n'
        '<body style="margin:0;padding:0;background:#f4f4f4">\n'
        '<table width="600" align="center" cellpadding="0" cellspacing="0">\n'
        f"<tr><td>{greeting}</td></tr>\n{''.join(map(_offer, range(1, 13)))}</table>\n"
        '<p STYLE><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>\n</body></html>\n'
    )
    return page.replace("STYLE", STYLE)


def _offer(number: int) -> str:
    words = WORDS + MORE_WORDS if number % 2 else WORDS
    link = LINKS[number - 1].replace("&", "&amp;")
    return (
        f"<tr><td><h2 STYLE>Piece {number}</h2>\n<p STYLE>{words}</p>\n"
        f'<p STYLE><a href="{link}" style="color:#0055aa">Look at piece {number}</a></p></td></tr>\n'
    )


def _text(greeting: str) -> str:
    offers = "".join(f"Piece {number}\n  {link}\n\n" for number, link in enumerate(LINKS, 1))
    return f"{greeting}\n{offers}Unsubscribe: {{{{ unsubscribe_url }}}}\n"


PLAIN = Words(SUBJECT, _html(GREETING), _text(GREETING_AS_TEXT))
BY_LOGIC = Words(SUBJECT, _html(GREETING_BY_LOGIC), _text(GREETING_AS_TEXT_BY_LOGIC))
"""With filters, conditions and a loop over rows that belong to the contact."""


def person(number: int) -> dict[str, str]:
    """The address and the merge values of the contact with this number (from 1), for the peers."""
    return {
        "email": f"reader{number}@mail{number % 97}.bench.example",
        "first_name": FIRST_NAMES[number % len(FIRST_NAMES)],
        "last_name": f"{LAST_NAMES[number % len(LAST_NAMES)]} {number}",
        "company": f"{COMPANIES[number % len(COMPANIES)]} {number % 1000}",
        "city": CITIES[number % len(CITIES)],
        "plan": PLANS[number % len(PLANS)],
        "renewal": f"{1 + number % 28} January 2027",
        "amount": f"€ {20 + number % 180}.00",
        "coupon": f"WIN-{number}",
    }

"""The piece of HTML that a web site elsewhere carries so that its visitors can sign up. Screens and CLI enter."""

from html import escape

from massmail_plugin.contracts import Host
from massmail_plugin.models import List
from massmail_plugin.sign_ups.entries import ADDRESS
from massmail_plugin.signed_links.sign_up_links import sign_up_url
from massmail_plugin.translations import words_in


def snippet(host: Host, list_: List, *, language: str) -> str:
    """A plain form: no script, no cookie, nothing loaded from us. It leads to our own page with the address filled in.

    It may stand on any page, since it gives leave for nothing: the visitor signs up on our page, and confirms by mail.
    """
    _ = words_in([language], host.config)
    address = escape(f"{sign_up_url(host.config, list_.id)}?lang={_.tag}")
    name, label, button = f"sign-up-{list_.id}", escape(_("Your e-mail address")), escape(_("Sign up"))
    return (
        f'<form action="{address}" method="post" accept-charset="utf-8">\n'
        f'  <label for="{name}">{label}</label>\n'
        f'  <input id="{name}" name="{ADDRESS}" type="email" autocomplete="email" maxlength="254" required>\n'
        f"  <button>{button}</button>\n"
        "</form>\n"
    )

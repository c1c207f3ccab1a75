"""The picker offers every name there is, and what it inserts passes the checks."""

from typing import Any

from massmail_plugin.composing.checking import faults
from massmail_plugin.composing.merge_fields import merge_fields


def test_the_picker(host: Any, source: Any) -> None:
    fields = {field.path: field for field in merge_fields(host, source)}
    assert fields["contact.name"].insert == "{{ contact.name }}"
    assert fields["contact.balance"].label == "Balance"
    assert fields["contact.company.branch"].group == "Contact"
    assert fields["contact.action_items"].group == "Related rows"
    assert "{% for item in contact.action_items %}" in fields["contact.action_items"].insert
    assert "contact.tax_number" not in fields
    assert {"unsubscribe_url", "preferences_url", "sender.name", "sender.address", "mailing.name", "mailing.topic",
            "organisation.name", "organisation.address", "today"} <= set(fields)  # fmt: skip


def test_what_it_inserts_is_known(host: Any, source: Any) -> None:
    everything = "\n".join(field.insert for field in merge_fields(host, source))
    assert faults(host, source, subject="", html=everything, text=everything) == []

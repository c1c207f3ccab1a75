"""The host's status column, read and written for many contacts at once. Delivery enters and commits."""

from collections.abc import Sequence

from sqlalchemy import inspect, select

from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import SetupError


def read(host: Host, source: ContactSource, keys: Sequence[str]) -> dict[str, str | None]:
    """The status of each contact that is there; nothing where the source names no status. One SELECT."""
    if source.status is None:
        return {}
    found = host.session.execute(select(key_text(source), source.status).where(has_key(source, keys)))
    return {key: None if status is None else str(status) for key, status in found}


def write(host: Host, source: ContactSource, keys: Sequence[str], status: str | None) -> None:
    """Give contacts a status through the host's mapped class, so that its own events see it.

    Raises SetupError where the status is not a plain column: then the host has to say how, by `set_status`.
    """
    name = _writable(source)
    for contact in host.session.scalars(select(source.model).where(has_key(source, keys))):
        setattr(contact, name, status)
    host.session.flush()


def _writable(source: ContactSource) -> str:
    name = str(getattr(source.status, "key", ""))
    columns = inspect(source.model).column_attrs
    if name not in columns or not hasattr(columns[name].columns[0], "table"):
        raise SetupError(
            f"The status of the contacts “{source.source_name}” is not a plain column; tell us how to set it with "
            "@massmail.set_status."
        )
    return name

"""Checks of the recipients' pages: the host's layout and words are there. The doctor enters; reads only."""

from collections.abc import Iterator
from pathlib import Path

from flask import current_app
from jinja2 import TemplateError

from massmail_plugin.contracts import Host
from massmail_plugin.translations import languages, matching
from massmail_plugin.upkeep.check import Check, ok, warning


def pages(host: Host) -> Iterator[Check]:
    """What the settings name can be found; where it cannot, the pages do without."""
    wrong = [*_layout(host), *_folder(host), *_unknown(host)]
    yield from wrong
    if not wrong:
        yield ok("pages", f"Recipients can read them in {len(languages(host.config))} languages.")


def _layout(host: Host) -> Iterator[Check]:
    name = host.config.public_layout
    if not name:
        return
    try:
        current_app.jinja_env.get_template(name)
    except TemplateError as error:
        what = f"The layout {name} cannot be used, so pages are shown without it: {type(error).__name__}: {error}"
        yield warning("pages", what, "MASSMAIL_PUBLIC_LAYOUT names a template of your application.")


def _folder(host: Host) -> Iterator[Check]:
    folder = host.config.translations
    if folder and not any(Path(folder).glob("*/LC_MESSAGES/massmail.po")):
        what = f"There are no catalogues in {folder}, so the words are ours."
        yield warning("pages", what, "MASSMAIL_TRANSLATIONS holds files such as de/LC_MESSAGES/massmail.po.")


def _unknown(host: Host) -> Iterator[Check]:
    missing = [name for name in host.config.languages if matching([name], host.config) is None]
    if missing:
        what = f"The pages are not there in {', '.join(missing)}, so these languages are not offered."
        yield warning("pages", what, "Add a catalogue to the folder of MASSMAIL_TRANSLATIONS.")

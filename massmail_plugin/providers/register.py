"""The register of providers: our own and those that other packages announce as entry points. Nothing is committed."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from massmail_plugin.contracts import Provider
from massmail_plugin.errors import SetupError
from massmail_plugin.providers.smtp import SmtpProvider

GROUP = "massmail_plugin.providers"


def load_providers() -> dict[str, Provider]:
    """Every provider by its name: "smtp", and the entry points of the group `massmail_plugin.providers`.

    An entry point names an object with the methods of `contracts.Provider`, or a class or function that makes one
    without arguments. Raises SetupError for one that cannot be used or whose name is taken.
    """
    known: dict[str, Provider] = {SmtpProvider.name: SmtpProvider()}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        provider = _loaded(entry)
        if provider.name in known:
            raise SetupError(f"{_described(entry)} brings the provider “{provider.name}”, which is there already.")
        known[provider.name] = provider
    return known


def _loaded(entry: EntryPoint) -> Provider:
    try:
        found: Any = entry.load()
        provider: Provider = found() if callable(found) else found
    except Exception as error:
        raise SetupError(f"{_described(entry)} cannot be loaded: {error}") from error
    lacking = [name for name in ("name", "label", "open", "probe") if not hasattr(provider, name)]
    if lacking:
        raise SetupError(f"{_described(entry)} is no provider: it lacks {', '.join(lacking)}.")
    if provider.name != entry.name:
        raise SetupError(f"{_described(entry)} calls itself “{provider.name}”; both names must be the same.")
    return provider


def _described(entry: EntryPoint) -> str:
    package = f" of the package {entry.dist.name}" if entry.dist else ""
    return f"The entry point “{entry.name}”{package} (group {GROUP})"

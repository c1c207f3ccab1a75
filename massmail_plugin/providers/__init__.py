"""Who carries mail, one folder or file each, and the register of all. Doors enter at start; nothing is committed."""

from massmail_plugin.providers.register import load_providers

__all__ = ["load_providers"]

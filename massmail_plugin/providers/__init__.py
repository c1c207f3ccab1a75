"""Who carries mail, one folder or file each, what it reports back, and the registers. Doors enter; no commits."""

from massmail_plugin.providers.event_readers import load_event_readers
from massmail_plugin.providers.register import load_providers

__all__ = ["load_event_readers", "load_providers"]

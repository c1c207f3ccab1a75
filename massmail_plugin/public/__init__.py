"""The door for recipients: opens, clicks, opt-out and preferences. It commits; anybody on the internet may enter."""

from massmail_plugin.opt_out import from_host as preference_from_host
from massmail_plugin.public.mounting import mount

__all__ = ["mount", "preference_from_host"]

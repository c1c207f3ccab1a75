"""The screens of senders."""

from massmail_plugin.admin.senders.screens import REMEMBERED, Senders

__all__ = ["REMEMBERED", "Senders"]

"""The lists that providers keep of addresses they do not send to: read, added to, taken from. Feedback enters."""

from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed, StopList
from massmail_plugin.providers.stop_lists.register import load_stop_lists
from massmail_plugin.providers.stop_lists.web import ListFault

__all__ = ["ListAccount", "ListFault", "Listed", "StopList", "load_stop_lists"]

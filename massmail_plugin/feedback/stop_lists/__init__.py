"""Our stops and a provider's own list, brought together. Jobs and CLI enter; the exchange commits by itself."""

from massmail_plugin.feedback.stop_lists.exchange import Exchanged, due, exchange
from massmail_plugin.providers.stop_lists import ListFault, load_stop_lists

__all__ = ["Exchanged", "ListFault", "due", "exchange", "load_stop_lists"]

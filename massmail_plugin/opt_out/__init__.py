"""The wish to stop: one-click, the page that asks, the undo, the choice of lists. Doors enter; flushes only."""

from massmail_plugin.opt_out.recipient import PageState, page_state
from massmail_plugin.opt_out.wishes import from_host, leave, one_click, save_preferences, undo

__all__ = ["PageState", "from_host", "leave", "one_click", "page_state", "save_preferences", "undo"]

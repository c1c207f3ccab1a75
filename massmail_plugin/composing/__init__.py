"""Template to finished message: merge fields, checks, preparing once, rendering per recipient.

Doors and the sending rooms enter; nothing is committed.
"""

from massmail_plugin.composing.checking import check, faults, warnings
from massmail_plugin.composing.links import PreparedLink
from massmail_plugin.composing.merge_fields import MergeField, merge_fields
from massmail_plugin.composing.preparing import Prepared, prepare
from massmail_plugin.composing.rendering import Rendered, Renderer, render_target
from massmail_plugin.composing.text_part import text_from_html
from massmail_plugin.composing.values import values_for

__all__ = [
    "MergeField",
    "Prepared",
    "PreparedLink",
    "Rendered",
    "Renderer",
    "check",
    "faults",
    "merge_fields",
    "prepare",
    "render_target",
    "text_from_html",
    "values_for",
    "warnings",
]

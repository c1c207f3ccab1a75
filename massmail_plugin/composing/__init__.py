"""Template to finished message: merge fields, checks, preparing once, rendering per recipient.

Doors and the sending rooms enter; nothing is committed.
"""

from massmail_plugin.composing.checking import check, faults, warnings
from massmail_plugin.composing.compiled_steps import Doubt
from massmail_plugin.composing.expression_code import Known
from massmail_plugin.composing.generated_code import CannotCompile
from massmail_plugin.composing.links import HIDDEN_LINK, PreparedLink
from massmail_plugin.composing.mail_text import one_line
from massmail_plugin.composing.merge_fields import MergeField, merge_fields
from massmail_plugin.composing.preparing import Prepared, prepare
from massmail_plugin.composing.rendering import Rendered, Renderer, render_target
from massmail_plugin.composing.sheet import LineEncoder
from massmail_plugin.composing.template_code import compiled_lines, compiled_text
from massmail_plugin.composing.text_part import text_from_html
from massmail_plugin.composing.values import values_for

__all__ = [
    "HIDDEN_LINK",
    "CannotCompile",
    "Doubt",
    "Known",
    "LineEncoder",
    "MergeField",
    "Prepared",
    "PreparedLink",
    "Rendered",
    "Renderer",
    "check",
    "compiled_lines",
    "compiled_text",
    "faults",
    "merge_fields",
    "one_line",
    "prepare",
    "render_target",
    "text_from_html",
    "values_for",
    "warnings",
]

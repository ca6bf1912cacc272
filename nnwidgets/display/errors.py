"""Errors in words: of the user's own view with their line in it."""

from __future__ import annotations


def words_of(error: BaseException, view: type) -> str:
    """An error in words, with its line in a user's view."""
    name, words, where = type(error).__name__, text_of(error), line_of(error, view)
    return f"{name}: {words}{where}" if words else f"{name}{where}"


def line_of(error: BaseException, view: type) -> str:
    """Where in the code of a user's view an error was raised, " (line 12, in compute)"; nothing for our own views."""
    if view.__module__.startswith("nnwidgets."):
        return ""
    own = {code.co_filename for code in (getattr(each, "__code__", None) for each in vars(view).values()) if code}
    found, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename in own:
            found = f" (line {trace.tb_lineno}, in {code.co_name})"
        trace = trace.tb_next
    return found


def text_of(error: BaseException) -> str:
    """The error's own words; a KeyError would show its text in quotes.

    >>> text_of(KeyError("layer: no 'conv9'"))
    "layer: no 'conv9'"
    """
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)

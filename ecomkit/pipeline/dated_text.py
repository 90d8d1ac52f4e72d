"""Text that sorts as instants do: the least or greatest of several carries what stood at the first or last of them."""

import ibis.expr.types as ir

# Of milliseconds since 1970, until the year 33658.
_DIGITS = 15


def dated(at_ms: ir.IntegerValue, text: ir.StringValue) -> ir.StringValue:
    """Return a text with the milliseconds since 1970 before it, not before 1970."""
    return at_ms.cast(str).lpad(_DIGITS, "0") + text


def text_of(mark: ir.StringValue) -> ir.StringValue:
    """Return the text of a dated one."""
    return mark.substr(_DIGITS)


def ms_of(mark: ir.StringValue) -> ir.IntegerValue:
    """Return the milliseconds since 1970 of a dated text."""
    return mark.substr(0, _DIGITS).cast("int64")

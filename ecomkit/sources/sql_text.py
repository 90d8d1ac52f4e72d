"""Outside values within SQL, quoted so that they stay values."""


def sql_text(value: str) -> str:
    """Return a text as SQL writes it."""
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def sql_name(name: str) -> str:
    """Return the name of a column or table as SQL writes it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'

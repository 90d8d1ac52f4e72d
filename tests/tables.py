"""Tables as plain Python values, for tests."""


def rows(table):
    """Return the rows of a table as dicts: no index, no dtype."""
    return table.to_pyarrow().to_pylist()

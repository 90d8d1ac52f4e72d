"""Steps from raw calls to the canonical tables of a shop."""

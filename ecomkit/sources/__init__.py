"""Readers of outside data: the only modules that open files or warehouses."""

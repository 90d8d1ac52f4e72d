"""A first shop.toml, written from what lies in a folder, a file or a warehouse."""

from ecomkit.init.command import Start, start_shop

__all__ = ["Start", "start_shop"]

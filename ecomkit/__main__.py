"""`python -m ecomkit` is `ecomkit`."""

from ecomkit.cli import main

if __name__ == "__main__":
    main()

"""From notebooks to a published week."""

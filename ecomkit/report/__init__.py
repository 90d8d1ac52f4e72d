"""From notebooks to a published week."""

import sys

# jsonschema, which reads notebooks, does without it. With it, 2 s of every report go into the grammar of addresses
# in all alphabets, of which no notebook holds one.
sys.modules.setdefault("rfc3987_syntax", None)

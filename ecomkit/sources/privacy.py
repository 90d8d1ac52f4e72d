"""What is hashed, cut and masked on reading, so that no address, name or phone goes further, as SQL macros."""

# Letters and digits of any script: with the classes of Unicode a pattern takes longer to prepare than a file to read.
_WORD = r"A-Za-z0-9\x{80}-\x{10FFFF}"
_LOCAL = rf"[{_WORD}._%+''-]+"
# As it is, in a URL, in a URL within a URL, and as JSON may spell it.
_AT = r"(?:@|%(?:25)*40|\\u0040)"
_ADDRESS = rf"{_LOCAL}{_AT}[{_WORD}-]+(?:\.[{_WORD}-]+)+"
# With its country: other numbers of that length may be a product's or an order's.
_PHONE = r"(?:\+|%2B)\d(?:[\d ()/.-]|%20){6,}\d"
# What senders put where they know no id: it would make one person of all of them.
_NO_ID = r"[0-]*|-1|null|none|nan|undefined|anonymous|true|false|[{\[].*"
_PERSONAL_KEYS = (
    r"\w*(?:first_?name|last_?name|full_?name|user_?name|phone|mobile|email|street|birthday|password|token|secret)|"
    "name|recipient|city|postal_?code|zip|address[12]?|ip|share_?message|review_?body|write_?key|authorization|tel"
)
# The value of such a key: text, whole, cut short or in JSON within JSON, a number, a list or an object.
_VALUE = (
    r'\\+".*?(?:\\+"\s*[,}\]]|$)|"(?:[^"\\]|\\.)*(?:"|\\?$)|\x27[^\x27]*(?:\x27|$)|'
    r"\[[^\]]*(?:\]|$)|\{[^}]*(?:\}|$)|-?\d[\w.+-]*"
)

PRIVACY_MACROS = rf"""
CREATE OR REPLACE TEMP MACRO is_address(x) AS contains(x, '@') OR contains(x, '%40');
CREATE OR REPLACE TEMP MACRO is_phone(x) AS left(trim(x), 1) = '+' AND regexp_full_match(trim(x), '{_PHONE}');
CREATE OR REPLACE TEMP MACRO without_address(x) AS
    CASE WHEN is_address(x) OR contains(x, '%25') THEN regexp_replace(x, '{_ADDRESS}', '[address]', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO without_phone(x) AS
    CASE WHEN contains(x, '+') OR contains(x, '%2B') THEN regexp_replace(x, '{_PHONE}', '[phone]', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO without_query(x) AS
    without_phone(without_address(split_part(split_part(x, '?', 1), '#', 1)));
CREATE OR REPLACE TEMP MACRO hashed(x, salt) AS sha256(salt || lower(trim(x)));
CREATE OR REPLACE TEMP MACRO private_id(x, salt) AS
    CASE WHEN is_address(x) OR is_phone(x) THEN 'hashed-' || hashed(replace(x, '%40', '@'), salt)
         ELSE nullif(trim(x), '') END;
-- The id of someone; the first test spares most ids the second.
CREATE OR REPLACE TEMP MACRO person_id(x, salt) AS
    CASE WHEN (length(trim(x)) < 10 OR left(x, 1) IN ('0', '-', '{{', '[', ' '))
        AND regexp_full_match(lower(trim(x)), '{_NO_ID}') THEN NULL ELSE private_id(x, salt) END;
-- More than is shown is masked, so that the cut leaves no half address.
CREATE OR REPLACE TEMP MACRO masked(x) AS left(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(x, 4000),
    '(\\*["\x27](?:{_PERSONAL_KEYS})\\*["\x27]\s*:\s*)(?:{_VALUE})', '\1"***"', 'gis'),
    '{_LOCAL}{_AT}[{_WORD}.-]*', '[address]', 'g'),
    '([?&][^=&"\s]+=)[^&"\s]*', '\1***', 'g'),
    '{_PHONE}', '[phone]', 'g'), 2000);
-- What is no JSON names no keys to mask by: only its shape is shown.
CREATE OR REPLACE TEMP MACRO masked_line(x) AS CASE
    WHEN left(ltrim(left(x, 100)), 1) IN ('{{', '[', '"') THEN masked(x)
    ELSE regexp_replace(left(x, 200), '[{_WORD}]', 'x', 'g') END;
"""

"""What is hashed, cut and masked on reading, so that no address, name or phone goes further, as SQL macros."""

_ADDRESS = r"[A-Za-z0-9._%+''-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
# What senders put where they know no id: it would make one person of all of them.
_NO_ID = r"[0-]*|-1|null|none|nan|undefined|anonymous|true|false|[{\[].*"
_PERSONAL_KEYS = (
    "first_?name|last_?name|full_?name|name|phone|mobile|email|recipient|street|city|postal_?code|zip|birthday|"
    "username|address[12]?|ip|share_?message|review_?body|write_?key|authorization|password|token|secret"
)

PRIVACY_MACROS = rf"""
CREATE OR REPLACE TEMP MACRO is_address(x) AS contains(x, '@') OR contains(x, '%40');
CREATE OR REPLACE TEMP MACRO without_address(x) AS
    CASE WHEN is_address(x) THEN regexp_replace(x, '{_ADDRESS}', '[address]', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO without_query(x) AS without_address(split_part(split_part(x, '?', 1), '#', 1));
CREATE OR REPLACE TEMP MACRO hashed(x, salt) AS sha256(salt || lower(trim(x)));
CREATE OR REPLACE TEMP MACRO private_id(x, salt) AS
    CASE WHEN is_address(x) THEN 'hashed-' || hashed(replace(x, '%40', '@'), salt) ELSE nullif(trim(x), '') END;
CREATE OR REPLACE TEMP MACRO safe_id(x, salt) AS
    CASE WHEN is_address(x) THEN 'hashed-' || hashed(replace(x, '%40', '@'), salt)
         WHEN length(trim(x)) > 9 AND left(x, 1) NOT IN ('0', '-', '{{', '[', ' ') THEN trim(x)
         WHEN regexp_full_match(lower(trim(x)), '{_NO_ID}') THEN NULL ELSE trim(x) END;
CREATE OR REPLACE TEMP MACRO masked(x) AS regexp_replace(regexp_replace(regexp_replace(
    without_address(left(x, 2000)),
    '("(?:{_PERSONAL_KEYS})"\s*:\s*")[^"]*', '\1***', 'gi'),
    '([?&][^=&"\s]+=)[^&"\s]*', '\1***', 'g'),
    '\+\d[\d ()/-]{{6,}}\d', '[phone]', 'g');
"""

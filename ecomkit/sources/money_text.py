"""Money as people write it, as one SQL macro for every reader."""

# 12.50 and 1,234.50, 12,50 and 1.234,50, with or without a currency's sign or code; anything else is no money.
# A lone comma before three digits groups thousands.
MONEY_MACROS = r"""
CREATE OR REPLACE TEMP MACRO grouped_money(x) AS CASE
    WHEN regexp_full_match(x, '[+-]?\d{1,3}(,\d{3})+(\.\d+)?') THEN TRY_CAST(replace(x, ',', '') AS DECIMAL(18, 4))
    WHEN regexp_full_match(x, '[+-]?(\d+|\d{1,3}(\.\d{3})+),\d{1,2}')
        THEN TRY_CAST(replace(replace(x, '.', ''), ',', '.') AS DECIMAL(18, 4))
    ELSE TRY_CAST(x AS DECIMAL(18, 4)) END;
CREATE OR REPLACE TEMP MACRO as_money(x) AS
    coalesce(TRY_CAST(x AS DECIMAL(18, 4)), grouped_money(regexp_replace(
        regexp_replace(x, '[$€£\s\x{00A0}\x{202F}]', '', 'g'), '^[A-Za-z]{3}|[A-Za-z]{3}$', '', 'g')));
"""

"""Calls within a line: batches and single calls as Segment's libraries post them, captured requests, lists of calls."""


def unwrapped(numbers: str) -> str:
    """Return the query of the calls within lines of the table `lines`: `file_number, number, place, raw`.

    Each has the `sentAt` and `context` of its body where it has none of its own;
    `place` counts from 1 within the line. A line that is no such body gives nothing.

    Parameters
    ----------
    numbers
        A query of the numbers of the lines to look into.
    """
    return f"""
        WITH bodies AS (
            SELECT file_number, number, CASE json_type(raw, '$.body')
                    WHEN 'OBJECT' THEN raw->'$.body' WHEN 'VARCHAR' THEN TRY_CAST(raw->>'$.body' AS JSON) ELSE raw
                END AS body
            FROM lines SEMI JOIN (SELECT * FROM ({numbers}) AS wanted(number)) USING (number) WHERE json_valid(raw)
        ), lists AS (
            SELECT *, CASE WHEN json_type(body) = 'ARRAY' THEN body
                WHEN json_type(body, '$.batch') = 'ARRAY' THEN body->'$.batch'
                WHEN json_type(body, '$.type') IS NOT NULL THEN json_array(body) END AS calls
            FROM bodies
        ), members AS (
            SELECT file_number, number, body, unnest(from_json(calls, '["JSON"]')) AS call,
                generate_subscripts(from_json(calls, '["JSON"]'), 1) AS place
            FROM lists WHERE json_type(calls, '$[0]') = 'OBJECT'
        )
        SELECT file_number, number, place, json_merge_patch(
            json_object('sentAt', body->'$.sentAt', 'context', coalesce(body->'$.context', '{{}}')),
            coalesce(call, 'null'))::VARCHAR AS raw
        FROM members"""

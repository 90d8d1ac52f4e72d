"""CSV files as people export them: delimiters, encodings, quotes that never close, and the line of every row."""

import gzip

import pytest

from ecomkit.errors import SourceError
from ecomkit.sources.csv_files import csv_header, csv_rows


def read(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return csv_header(path), list(csv_rows(path))


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,\xc3\xa9\n",
        b"\xef\xbb\xbfa,b\r\n1,\xc3\xa9\r\n",
        b" a ;b\n1;\xc3\xa9\n",
        b"a\tb\n1\t\xc3\xa9\n",
        b"a,b\n1,\xe9\n",
        "a,b\n1,é\n".encode("utf-16"),
        gzip.compress(b"a,b\n1,\xc3\xa9\n"),
        b'"a","b"\n"1","\xc3\xa9"',
        b"a,b\n1,\xc3\xa9,,\n",
    ],
    ids=["plain", "spreadsheet", "semicolons", "tabs", "Windows", "UTF-16", "gzipped", "quoted", "commas at the end"],
)
def test_one_table_in_many_spellings(tmp_path, content):
    assert read(tmp_path, content) == (["a", "b"], [(2, ["1", "é"], "")])


def test_rows_keep_the_line_they_begin_on(tmp_path):
    content = 'a,b\n1,"two\nlines"\n\n2,x\n\n\n3\n'
    assert read(tmp_path, content)[1] == [(2, ["1", "two\nlines"], ""), (5, ["2", "x"], ""), (8, ["3", ""], "")]


def test_a_broken_row_breaks_no_other(tmp_path):
    content = 'a,b\n1,2,3\n2,"never closed\n3,x\n4,"a ""quote"""\n5,y\n'
    assert read(tmp_path, content)[1] == [
        (2, None, "1,2,3\n"),
        (3, None, '2,"never closed\n'),
        (4, ["3", "x"], ""),
        (5, ["4", 'a "quote"'], ""),
        (6, ["5", "y"], ""),
    ]


def test_a_quote_left_open_on_the_last_field_takes_no_row_with_it(tmp_path):
    rows = read(tmp_path, 'a,b\n1,"x\n2,y\n3,z\n')[1]
    assert rows == [(2, None, '1,"x\n'), (3, ["2", "y"], ""), (4, ["3", "z"], "")]


def test_a_file_without_rows_has_a_header(tmp_path):
    assert read(tmp_path, "a,b\n") == (["a", "b"], [])
    assert read(tmp_path, "\n") == ([], [])


def test_a_file_cut_short_says_so(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    with pytest.raises(SourceError) as caught:
        read(tmp_path, whole[:-12], "table.csv.gz")
    assert str(caught.value) == (
        f"The file '{tmp_path / 'table.csv.gz'}' cannot be read to its end: "
        "Compressed file ended before the end-of-stream marker was reached. Copy or export it again."
    )

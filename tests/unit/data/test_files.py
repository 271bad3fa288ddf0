"""Tables in files: what is read is what was written, and what is not a table is refused by name."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from turinglearn.data import files
from turinglearn.data.files import TableFileError, read_table, write_table

pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")

KINDS = ("csv", "parquet")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def frame(n=300):
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=n), "n": rng.integers(-9, 9, n), "yes": rng.random(n) < 0.5}
    columns["text"] = rng.choice(["a", "b,c", 'd"e', "f\ng", "é"], n)
    columns["day"] = pd.Timestamp("1999-12-31") + pd.to_timedelta(rng.integers(0, 9999, n), unit="D")
    columns["lacks"] = np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n))
    return pd.DataFrame(columns)


def put(text, name="t.csv"):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return name


def refused(name):
    with pytest.raises(TableFileError, match=name) as error:
        read_table(name)
    return str(error.value)


@pytest.mark.parametrize("kind", [*KINDS, "CSV"])
def test_what_is_read_is_what_was_written(kind):
    write_table(frame(), f"t.{kind}")
    pd.testing.assert_frame_equal(read_table(f"t.{kind}"), frame(), check_exact=True, check_dtype=kind == "parquet")
    assert os.listdir() == [f"t.{kind}"]


def test_dates_are_read_as_dates_where_all_are():
    read = read_table(put("a,b,c,d\n2024-01-31,2024-01-31,2024-01-31T10:00:01,\n,31/01/2024,2024-02-01,\n2024-02-30,x,y,\n"))
    assert [str(kind)[:10] for kind in read.dtypes] == ["str", "str", "str", "float64"]  # there is no 30 February
    read = read_table(put("a,c\n2024-01-31,2024-01-31T10:00:01\n,2024-02-01\n"))
    assert [kind.kind for kind in read.dtypes] == ["M", "M"]
    assert read["a"].isna().tolist() == [False, True]


def test_columns_keep_their_types():
    lines = ["code,land,mark,n,big,x,yes,f", "00026,NA,NA,1,9007199254740993,NA,True,1.0"]
    read = read_table(put("\n".join([*lines, "10115,DE,null,,,2.5,,", "99999,,,3,-1,,False,2.0", ""])))
    assert [str(dtype) for dtype in read.dtypes[3:]] == ["Int64", "Int64", "float64", "boolean", "float64"]
    assert read["code"].tolist() == ["00026", "10115", "99999"]
    assert read["land"].tolist()[:2] == ["NA", "DE"]
    assert read["mark"].tolist()[:2] == ["NA", "null"]
    assert read[["land", "mark"]].isna().to_numpy().tolist() == [[False] * 2, [False] * 2, [True] * 2]
    assert read["x"].isna().tolist() == [True, False, True]  # among numbers, NA is a missing one
    assert read["big"].tolist() == [2**53 + 1, pd.NA, -1]
    write_table(read, "u.csv")
    pd.testing.assert_frame_equal(read_table("u.csv"), read)


def test_numbers_beyond_64_bits_are_read():
    read = read_table(put("a,b\n1,0.5\n,0\n1000000000000000000000000,-0\n"))
    assert float(read["a"].dropna().astype(float).max()) == 1e24
    assert read["b"].tolist() == [0.5, 0.0, 0.0]


def test_dates_with_offsets():
    mixed = read_table(put('t\n2024-01-31T10:00:00+01:00\n""\n2024-07-31T10:00:00+02:00\n'))["t"]
    assert str(mixed.dt.tz) == "UTC"
    assert mixed.dt.hour.tolist()[::2] == [9, 8]
    same = read_table(put("t\n2024-01-31T10:00:00+01:00\n2024-07-31T10:00:00+01:00\n"))["t"]
    assert same.dt.hour.tolist() == [10, 10]
    partly = read_table(put("t\n2024-01-31T10:00:00+01:00\n2024-07-31T10:00:00\n"))["t"]
    assert partly.tolist() == ["2024-01-31T10:00:00+01:00", "2024-07-31T10:00:00"]  # of what zone is the second?


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_or_not_a_file(kind):
    name = f"t.{kind}"
    assert "does not exist. Check the name." in refused(name)
    put("", name)
    assert "is empty" in refused(name)
    os.remove(name)
    os.mkdir(name)
    assert "is a folder" in refused(name)


@pytest.mark.parametrize("name", ["t.txt", "t", ".csv", "t.csv.gz", "csv"])
def test_other_endings(name):
    for use in (read_table, lambda name: write_table(frame(2), name)):
        with pytest.raises(TableFileError, match=r"expected \.csv or \.parquet"):
            use(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "no rows"),
        ("\n\n", "No columns"),
        ("a,a\n1,2\n", "two columns called 'a'"),
        ("a,b,\n1,2,3\n", None),  # a name may be empty
        ("a,b\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
        ("a,b\n1,2,3\n4,5,6\n", "more fields than its 2 names"),  # pandas would take the first for names of rows
        ("a,b\n0,2,3\n1,5,6\n", "more fields than its 2 names"),
        ('a,b\n1,"2\n', "EOF inside string"),
        (b"a,b\n\xff,1\n", "can't decode"),
        (b"\x80\x04\x95PK\x03\x04", "can't decode"),
        ("a,b\n1,2\n3", "ends in the middle of a line, after 1 of 2 fields"),
        ("a,b\n1,2\n3,4", None),  # the last line break may be missing
        ("a,b\r\n1,2\r\n3", "ends in the middle of a line"),
        ('a,b\n1,"x\ny"', None),
        ("a\n1\n", None),
    ],
)
def test_malformed_csv(text, said):
    name = put(text)
    if said is None:
        assert len(read_table(name)) > 0
    else:
        assert said in refused(name)


def test_a_column_that_changes_its_type_is_text():
    """However late: pandas would read the column in parts, each of its own type."""
    names = ",".join(f"c{i}" for i in range(64))
    read = read_table(put(names + "\n" + ("1," * 63 + "1\n") * 20_000 + "x" + ",1" * 63 + "\n"))
    assert {type(value) for value in read["c0"]} == {str}


def test_a_csv_that_is_cut_off_anywhere_is_refused_or_has_the_first_rows():
    whole = frame(20).drop(columns=["text", "lacks"])
    write_table(whole, "t.csv")
    with open("t.csv", "rb") as file:
        content = file.read()
    for end in range(len(content)):
        name = put(content[:end], "cut.csv")
        try:
            read = read_table(name)
        except TableFileError:
            continue
        rows = len(read) - (content[end - 1 : end] != b"\n")  # the last number may be cut off, and no CSV can tell
        names = list(read.columns)
        assert names[:-1] == list(whole)[: len(names) - 1]
        if rows > 0:  # a last field such as "-" makes texts of a whole column
            pd.testing.assert_frame_equal(read[:rows].astype(str), whole[:rows].astype(str))


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_raise_nothing_else(kind):
    """Flips and cuts at random places: a refusal or a table, no other error. Parquet's checksums keep the figures right."""
    write_table(frame(), f"t.{kind}")
    with open(f"t.{kind}", "rb") as file:
        content = file.read()
    rng, refusals = np.random.default_rng(0), 0
    for _ in range(400):
        bad = bytearray(content)
        if rng.random() < 0.3:
            del bad[rng.integers(len(bad)) :]
        else:
            bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
        try:
            read = read_table(put(bytes(bad), f"bad.{kind}"))
        except TableFileError as error:
            refusals += 1
            assert f"bad.{kind}" in str(error)
            continue
        if kind == "parquet":  # the names and types, at its end, have no checksum
            same = [c for c in read if c in frame() and read[c].dtype == frame()[c].dtype]
            for column in same:
                assert read[column].equals(frame()[column])
    assert refusals > (200 if kind == "parquet" else 20)


def test_a_parquet_file_with_a_name_twice():
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table([[1], [2]], names=["a", "a"]), "t.parquet")
    assert "cannot be read as parquet" in refused("t.parquet")


def test_files_that_may_not_be_read(monkeypatch):
    def forbidden(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    name = put("a\n1\n")
    monkeypatch.setattr(pd, "read_csv", forbidden)
    assert refused(name) == "t.csv cannot be read as csv: Permission denied. Fix or export it again."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["open", "write", "fsync", "replace"])
def test_the_older_file_outlives_a_full_disk(kind, where, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    older = frame(5)
    write_table(older, f"t.{kind}")
    owner, name = {
        "open": (files.Path, "open"),
        "write": (pd.DataFrame, f"to_{kind}"),
        "fsync": (os, "fsync"),
        "replace": (os, "replace"),
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        with pytest.raises(
            TableFileError, match=rf"t\.{kind} cannot be written: No space left on device\. Nothing was changed"
        ):
            write_table(frame(9), f"t.{kind}")
    assert os.listdir() == [f"t.{kind}"]
    pd.testing.assert_frame_equal(read_table(f"t.{kind}"), older, check_dtype=False)


def test_what_parquet_does_not_hold_is_refused():
    for strange in (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"a": [1, "x"]})):
        with pytest.raises(TableFileError, match=r"t\.parquet cannot be written"):
            write_table(strange, "t.parquet")
        assert os.listdir() == []


def test_there_must_be_a_folder():
    with pytest.raises(TableFileError, match="is not a folder"):
        write_table(frame(2), "nowhere/t.csv")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_file_is_as_private_as_the_user_asks():
    before = os.umask(0o077)
    try:
        write_table(frame(2), "t.csv")
    finally:
        os.umask(before)
    assert os.stat("t.csv").st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_marks_between_columns_are_named(tmp_path, mark):
    (tmp_path / "table.csv").write_text(f"a{mark}b\n1{mark}2\n3{mark}4\n")
    with pytest.raises(TableFileError, match=r"has one column, 'a.*b'; expected commas between columns"):
        read_table(tmp_path / "table.csv")

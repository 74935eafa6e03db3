"""A whole YAML document: plain values, the line of every key, and no surprises."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.config_files.yaml import as_yaml, read_document
from pytest_potmodels.errors import UsageError

TEXT = """\
# a comment
name: 1e5 apples
rate: 1e-3
nested:
  deep: {er: [1, 2]}
  list:
    - {name: a}
    - {name: b}
"""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]))
    | st.sampled_from(["1e5", "1e-3", "yes", "null", "~", "2001-01-01", "0x1f", ".5e1", "# no"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc1"), inner, max_size=3),
    max_leaves=8,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_has_its_line(tmp_path: Path) -> None:
    found = read_document(written(tmp_path, TEXT))
    assert found.table["rate"] == 0.001
    assert found.table["name"] == "1e5 apples"
    assert found.lines[("nested", "deep", "er")] == 5
    assert found.where("nested", "deep", "er").endswith("file.yaml:5")
    assert found.where("nested", "list").endswith("file.yaml:6")


@given(st.dictionaries(st.text("abc1", min_size=1), VALUES, max_size=4))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, object]
) -> None:
    path = written(tmp_path_factory.getbasetemp(), as_yaml(table))
    assert read_document(path).table == table


#: Merged as it stands, it would have 9^12 keys.
BOMB = "a0: &a0 {k: 1}\n" + "\n".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 13)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", r"file.yaml:2: 'a' is there twice, first in line 1"),
        ("a:\n  b: 1\n  b: 2", r"file.yaml:3: 'b' is there twice, first in line 2"),
        ("a: [{b: 1, b: 2}]", r"file.yaml:1: 'b' is there twice"),
        ("1: a\n'1': b", r"file.yaml:2: '1' is there twice"),
        ("a: &x [*x]", r"file.yaml:1: what an anchor names is used again"),
        ("a: &x {b: 1}\nc: *x", r"file.yaml:1: what an anchor names is used again"),
        ("a:\n\t- 1", r"file.yaml:2: no valid YAML: found character '\\t'"),
        ("a: 1\n---\nb: 1", r"file.yaml:2: no valid YAML: but found another document"),
        ("a: !!python/object/apply:os.getcwd []", r"file.yaml:1: no valid YAML: could not det"),
        ("? [a]\n: 1", r"file.yaml:1: no valid YAML: found unhashable key"),
        ("a: 2026-13-45", r"file.yaml: no valid YAML: month must be in 1..12"),
        ("a: !!int word", r"file.yaml: no valid YAML: invalid literal"),
        (f"a: {'9' * 5000}", r"file.yaml: no valid YAML: Exceeds the limit"),
        ("[" * 3000, r"file.yaml: no valid YAML: it is nested too deeply"),
        (BOMB, r"file.yaml:1: what an anchor names is used again"),
        ("", "holds NoneType, expected keys"),
        ("word", "holds str, expected keys"),
    ],
)
def test_what_is_no_document_of_plain_values_is_said(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        read_document(written(tmp_path, text))


def test_a_value_may_be_named_and_used_again_if_it_is_plain(tmp_path: Path) -> None:
    assert read_document(written(tmp_path, "a: &x 1\nb: *x")).table == {"a": 1, "b": 1}

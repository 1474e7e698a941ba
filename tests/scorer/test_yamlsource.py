"""YAML that remembers its lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.errors import ExplainedError
from scorer.yamlsource import YamlSource

TEXT = """\
first: 1
list:
  - a
  - {b: 2,
     c: 3}
"""


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        ((), 1),
        (("first",), 1),
        (("list", 1), 4),
        (("list", 1, "c"), 5),
        (("list", 7), 2),
        (("list", 1, "missing"), 4),
        (("list", 1, "a-tag-of-pydantic", "c"), 5),
    ],
)
def test_a_value_or_the_nearest_thing_above_it_has_a_line(loc: tuple[int | str, ...], line: int) -> None:
    assert YamlSource(TEXT, "x.yaml").line(loc) == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: [1,\n",
            "x.yaml:3: not valid YAML: expected the node content, but found '<stream end>'; mend that line",
        ),
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: not valid YAML: key 'a' occurs twice; mend that line"),
        (
            "a: !!python/object:os.system {}\n",
            "x.yaml:1: not valid YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object:os.system'; mend that line",
        ),
        (
            "a: \x00",
            "x.yaml: not valid YAML: unacceptable character #x0000: special characters are not allowed in "
            '"<unicode string>", position 3; save it as UTF-8 YAML text',
        ),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ExplainedError) as refused:
        YamlSource(text, "x.yaml")
    assert str(refused.value) == message


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(ExplainedError, match=r"^x.yaml: not valid YAML: .*; save it as UTF-8 YAML text$"):
        YamlSource(b"a: \xff\xfe", "x.yaml")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ExplainedError) as refused:
        YamlSource.load(tmp_path / "none.yaml")
    assert str(refused.value) == f"{tmp_path / 'none.yaml'}: No such file or directory; give the path of a YAML file"


def test_an_empty_file_holds_nothing() -> None:
    source = YamlSource("", "x.yaml")
    assert source.data is None
    assert source.line(("a",)) == 1

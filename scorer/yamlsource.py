"""YAML that remembers its lines, so that an error about a value can say where in the file the value stands."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from bundle.errors import ExplainedError

Location = tuple[int | str, ...]
"""The way to a value: keys and indices, as pydantic gives it in `loc`."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which otherwise lets the second of two equal keys win silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value != "<<" and isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} occurs twice", key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        made: dict[object, object] = super().construct_mapping(node, deep=deep)
        return made


class YamlSource:
    """A YAML document, its `data`, and the line of every value in it."""

    def __init__(self, text: str | bytes, where: str, error: type[ExplainedError] = ExplainedError) -> None:
        """Parse `text`, which `where` names in errors. Raises `error` with file and line where it is no YAML."""
        self.where = where
        self.error = error
        try:
            loader = _UniqueKeyLoader(text)
            try:
                self._root = loader.get_single_node()
                self.data: object = loader.construct_document(self._root) if self._root is not None else None
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            line = mark.line + 1 if mark else 1
            raise error(f"not valid YAML: {problem.problem}", where=f"{where}:{line}", do="mend that line") from None
        except (yaml.YAMLError, ValueError, RecursionError) as problem:
            raise error(f"not valid YAML: {problem}", where=where, do="save it as UTF-8 YAML text") from None

    @classmethod
    def load(cls, path: Path, error: type[ExplainedError] = ExplainedError) -> YamlSource:
        """Read and parse a file. Raises `error` where it cannot be read or is no YAML."""
        try:
            return cls(path.read_bytes(), str(path), error)
        except OSError as problem:
            raise error(problem.strerror or str(problem), where=str(path), do="give the path of a YAML file") from None

    def line(self, loc: Location) -> int:
        """The 1-based line of the value at `loc`, or of the nearest thing above it that is in the file."""
        node, line = self._root, 1
        for step in loc:
            found = None
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = (node.value[step], node.value[step])
            if found is None:  # a tag that pydantic put in, or a key that is missing
                continue
            line, node = found[0].start_mark.line + 1, found[1]
        return line

    def refuse(self, loc: Location, what: str, do: str = "") -> ExplainedError:
        """An error about the value at `loc`, to be raised by the caller."""
        dotted = ".".join(str(step) for step in loc)
        return self.error(f"{dotted}: {what}" if dotted else what, where=f"{self.where}:{self.line(loc)}", do=do)

    def explain(self, problem: ValidationError, do: str = "") -> ExplainedError:
        """The first complaint of a pydantic model about this document, on one line with its place."""
        first = problem.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        return self.refuse(first["loc"], message[:1].lower() + message[1:], do)

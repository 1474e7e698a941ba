"""What a request is about: the kind, the namespace, the name and the subresource in its path."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.apiserver.catalogue import Catalogue, Kind
from sandbox.apiserver.store import Key


@dataclass(frozen=True, slots=True)
class Route:
    """The resource a path names; `name` is empty for a collection, `namespace` for all namespaces or none."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """The key of the object in the store."""
        return (self.namespace, self.name)


def parse(catalogue: Catalogue, segments: tuple[str, ...]) -> Route | None:
    """Return the route of a path split at its slashes, None where nothing of this kind is served."""
    match segments if all(segments) else ():
        case ("api", version, *rest):
            group = ""
        case ("apis", group, version, *rest):
            pass
        case _:
            return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and catalogue.find(group, version, rest[2]):
        _, namespace, *rest = rest
    if not 1 <= len(rest) <= 3:
        return None
    plural, name, subresource = (*rest, "", "")[:3]
    kind = catalogue.find(group, version, plural)
    if kind is None or (subresource and subresource not in kind.subresources):
        return None
    if namespace and not kind.namespaced:
        return None
    if name and kind.namespaced and not namespace:
        return None
    return Route(kind, namespace, name, subresource)

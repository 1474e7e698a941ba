#!/usr/bin/env bash
# The unit tests on every supported Python that is installed, each in a virtual environment of its own.
# Usage: tests/matrix.sh UV [VERSION ...]      default: 3.11 3.12 3.13
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(3.11 3.12 3.13)

interpreter() { # the interpreter of a version: on PATH, or one of pyenv's
  command -v "python$1" && "python$1" --version >/dev/null 2>&1 && return
  local found
  found=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1.*/bin/python$1" | sort -V | tail -n 1) || return 1
  [ -n "$found" ] && echo "$found"
}

ran=0
for version in "${versions[@]}"; do
  if ! python=$(interpreter "$version" | tail -n 1) || [ -z "$python" ]; then
    echo "Python $version is not installed: skipped"
    continue
  fi
  echo "Python $version ($python)"
  environment=.cache/matrix/$version
  "$uv" venv --quiet --clear --python "$python" "$environment"
  VIRTUAL_ENV=$environment "$uv" pip install --quiet --require-hashes -r requirements-dev.lock
  VIRTUAL_ENV=$environment "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
  "$environment/bin/python" -m pytest -n 2 --dist loadfile -m "not e2e and not drills and not load" -p no:cacheprovider
  ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "none of ${versions[*]} is installed" >&2; exit 2; }

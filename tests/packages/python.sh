#!/usr/bin/env bash
# Makes the wheel from the static binary, and tests it in a clean virtual environment: the commands, the examples of its
# documentation (with the oldest pytest too), and its own tests. tests/requirements.txt in the package names the tools.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

package=$root/packages/python
requirements=$package/tests/requirements.txt
tools=$target/python-tools
# The oldest version that the package's extra allows.
readonly OLDEST_PYTEST=7.0.0
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 RUFF_CACHE_DIR=$work/ruff MYPY_CACHE_DIR=$work/mypy
# Variables that are set in a developer's shell must not direct the tests to another emulator.
unset FAUXFAX_URL FAUXFAX_CONTROL_TOKEN PYTEST_ADDOPTS

if ! cmp -s "$tools/.made-from" "$requirements"; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet --no-deps --only-binary :all: -r "$requirements"
    cp "$requirements" "$tools/.made-from"
fi

# Writes the Python blocks of page $1 into folder $2 as test files.
blocks() {
    awk -v folder="$2" -v name="$(basename "$1" .md | tr - _)" '
        /^```python/ { file = folder "/test_" name "_" ++count ".py"; next }
        /^```/ { file = "" }
        file { print >file }
        END { if (!count) { print FILENAME " has no example"; exit 1 } }' "$1"
}

echo '--- the wheel'
rm -f "$PACKAGES"/fauxfax-*.whl
"$tools/bin/python" -m build --no-isolation --wheel --outdir "$PACKAGES" "$package" | tail -n 1
wheel=$(ls "$PACKAGES"/fauxfax-*.whl)
version=$(project version)
[[ $wheel == */fauxfax-"$version"-py3-none-manylinux_2_17_*.manylinux2014_*.musllinux_1_1_*.whl ]] || {
    echo "$FAUXFAX_BIN is not static, so PyPI would refuse $(basename "$wheel"); bash tests/packages.sh builds a static one" >&2
    [[ -n ${FAUXFAX_ALLOW_DYNAMIC:-} ]] || exit 1
}
"$tools/bin/python" -m twine check --strict "$wheel"
"$tools/bin/check-wheel-contents" --toplevel fauxfax "$wheel"
if "$tools/bin/python" -m build --no-isolation --sdist --outdir "$work" "$package" >"$work/sdist.log" 2>&1; then
    echo 'a source distribution was built, although nobody could install it' >&2
    exit 1
fi
grep -q 'has no source distribution' "$work/sdist.log"

echo '--- its code'
cd "$package"
"$tools/bin/ruff" check --quiet .
"$tools/bin/ruff" format --quiet --check .
"$tools/bin/mypy"
"$tools/bin/vermin" --quiet --no-tips --violations --target=3.9- hatch_build.py src
"$tools/bin/python" -m pytest --quiet -p no:cacheprovider --confcutdir tests/wheel tests/wheel

echo '--- a clean environment with nothing but the wheel'
mkdir "$work/folder" "$work/examples"
cd "$work/folder"
python3 -m venv "$work/clean"
clean=$work/clean/bin
"$clean/python" -m pip install --quiet --no-index "$wheel"
for license in LICENSE-APACHE LICENSE-MIT; do
    cmp "$root/$license" "$work"/clean/lib/python3*/site-packages/fauxfax-"$version".dist-info/licenses/$license
done
# From here on, only the installed program may be found.
binary=$FAUXFAX_BIN
unset FAUXFAX_BIN
[[ $("$clean/fauxfax" --version) == "fauxfax $version" ]]
[[ $("$clean/python" -m fauxfax --version) == "fauxfax $version" ]]
[[ $(stat -c %s "$clean/fauxfax") == $(stat -c %s "$binary") ]]
blocks "$package/README.md" "$work/examples"
blocks "$root/docs/recipes/pytest-plugin.md" "$work/examples"
# The example without pytest.
without=$(grep -L 'def test_' "$work/examples"/test_README_*.py)
[[ $("$clean/python" "$without") == delivered ]]
rm "$without"

echo '--- pytest'
"$clean/python" -m pip install --quiet --constraint "$requirements" "${wheel}[pytest]" pytest-xdist
"$clean/python" -m pytest --quiet -p no:cacheprovider --strict-markers "$work/examples"
"$clean/python" -m pytest --quiet -p no:cacheprovider -n 2 --rootdir "$package" -c "$package/pyproject.toml" \
    --ignore "$package/tests/wheel" "$package/tests"
"$clean/python" -m pip uninstall --quiet --yes pytest-xdist
"$clean/python" -m pip install --quiet "pytest==$OLDEST_PYTEST"
"$clean/python" -m pytest --quiet -p no:cacheprovider --strict-markers "$work/examples"
weigh "$wheel"

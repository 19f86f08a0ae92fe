#!/usr/bin/env bash
# Runs the tests that `fauxfax init` writes, unchanged, in an empty folder and in a Python, a Node and a Rust project.
# The packages are those that python.sh and npm.sh have made; the crate is this checkout, and nothing is downloaded for it.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

wheel=$(ls "$PACKAGES"/fauxfax-*.whl 2>/dev/null) || {
    echo 'there is no wheel; bash tests/packages.sh python npm init makes one'
    exit "$SKIPPED"
}
tarballs=("$PACKAGES"/fauxfax-[0-9]*.tgz "$PACKAGES"/fauxfax-cli-*.tgz)
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 NO_COLOR=1
mkdir "$work/bin"
ln -s "$FAUXFAX_BIN" "$work/bin/fauxfax"
binary=$work/bin
# Variables that are set in a developer's shell must not direct the tests to another emulator.
unset FAUXFAX_BIN FAUXFAX_URL FAUXFAX_CONTROL_TOKEN PYTEST_ADDOPTS

# Makes a folder for a project, and enters it.
project_in() {
    mkdir -p "$work/$1"
    cd "$work/$1"
}

# Writes the files of a project, and prints the command that runs the test: the last line of what is printed.
written() {
    local said
    said=$(PATH=$binary:$PATH fauxfax init --yes "$@")
    printf '%s\n' "$said" >&2
    tail -n 1 <<<"$said" | sed 's/^ *//'
}

echo '--- an empty folder'
project_in empty
run=$(written)
[[ $run == 'fauxfax run scenarios/incoming-fax.toml' ]]
PATH=$binary:$PATH bash -c "$run"

echo '--- Python, with the program alone'
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --constraint "$root/packages/python/tests/requirements.txt" pytest
project_in python
echo 'flask' >requirements.txt
run=$(written --workflow --compose)
PATH=$binary:$work/venv/bin:$PATH bash -c "$run -p no:cacheprovider"
[[ -f compose.yaml && -f .github/workflows/fauxfax.yml ]]

echo '--- Python, with the package'
"$work/venv/bin/python" -m pip install --quiet --no-index "$wheel"
project_in python-package
printf '[project]\nname = "app"\nversion = "1"\noptional-dependencies = {test = ["fauxfax[pytest]"]}\n' >pyproject.toml
run=$(written)
[[ $run == pytest* ]]
PATH=$work/venv/bin:$PATH bash -c "$run -p no:cacheprovider"

echo '--- Node, with the program alone'
project_in node
echo '{"private": true}' >package.json
run=$(written)
PATH=$binary:$PATH bash -c "$run"

echo '--- Node, with the package'
project_in node-package
echo '{"private": true}' >package.json
npm install --no-audit --no-fund --loglevel=error --offline "${tarballs[@]}"
run=$(written)
[[ $run == 'node --test' ]]
PATH=$binary:$PATH bash -c "$run"

echo '--- Rust'
project_in rust
mkdir src
printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2024"\n' >Cargo.toml
echo 'fn main() {}' >src/main.rs
run=$(written)
# The lines that the printed `cargo add` commands would write, but with the checkout in place of the published crate.
cat >>Cargo.toml <<END
[dev-dependencies]
fauxfax = { path = "$root", version = "$(project version | cut -d. -f1,2)", default-features = false, features = ["server"] }
tokio = { version = "1", features = ["macros", "rt"] }
END
# With the checkout's own lock file, the versions are those that are on this machine.
cp "$root/Cargo.lock" .
CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=$target/init-project bash -c "$run"

echo 'the tests pass as they were written'

#!/usr/bin/env bash
# Runs every check of the project, on a fresh machine too: installs what the tests need, runs them, and finally prints
# which steps passed or failed and how long each took.
#
#   bash tests/all.sh           all checks
#   bash tests/all.sh --quick   the inner loop: installs nothing, and makes no optimised build
#
# Needs Rust (from rustup or the distribution), Python 3.9, Node 20 or newer, and 6 GB of disk. Missing Debian packages are
# installed if that is permitted. FAUXFAX_TEST_LOGS names the folder for logs (default: target/test-logs).
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
root=$(pwd)
# shellcheck source=tests/steps.sh
source tests/steps.sh

quick=
for argument in "$@"; do
    case $argument in
        --quick) quick=yes ;;
        *)
            echo "usage: bash tests/all.sh [--quick]" >&2
            exit 2
            ;;
    esac
done

find_rust || exit 1
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
tools=$target/tools
host=$(rustc -vV | sed -n 's/^host: //p')
static=$target/$host/dist/fauxfax
logs=${FAUXFAX_TEST_LOGS:-$target/test-logs}
mkdir -p "$logs"
rm -f "$logs"/*.log
# Incremental builds help when editing between two runs; in a full run they would only fill the disk.
[[ -n $quick ]] || export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
export CARGO_TERM_COLOR=never

# Crates that the core must not depend on, because it does no I/O.
readonly IMPURE='^(tokio|hyper|axum|rustls|tokio-rustls|hayro.*|ring|tracing|clap) v'

core_is_pure() {
    cargo check --quiet --package fauxfax-core || return
    local found
    found=$(core_crates | grep -E "$IMPURE")
    [[ -z $found ]] || {
        printf 'the core must not depend on:\n%s\n' "$found"
        return 1
    }
    echo "$(core_crates | wc -l) crates in the core"
}

# Checks that a test with the emulator as a library compiles neither TLS nor the command line.
library_is_lean() {
    local features=(--no-default-features --features server) crates
    cargo check --quiet --lib "${features[@]}" || return
    crates=$(cargo tree "${features[@]}" -e normal --prefix none --no-dedupe | sort -u)
    if grep -E '^(ring|rustls|tokio-rustls|clap|tracing-subscriber|rmcp) v' <<<"$crates"; then
        echo 'without its default features, the library must not depend on these'
        return 1
    fi
    echo "$(wc -l <<<"$crates") crates in the library for tests"
}

core_crates() {
    cargo tree --package fauxfax-core -e normal --prefix none --no-dedupe | sort -u
}

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --no-fail-fast --status-level fail --final-status-level fail
    else
        cargo test --workspace --no-fail-fast --lib --bins --tests
    fi
}

documentation() {
    RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps --lib --document-private-items
}

demo() {
    (cd "$logs" && timeout 60 "$static" demo --once --listen 127.0.0.1:0)
}

fuzz_builds() {
    # The instrumentation needs a nightly toolchain; checking that the targets compile does not.
    (cd fuzz && RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/fuzz cargo build --quiet)
}

browser_tests() {
    bash tests/browser/run.sh
}

if [[ -z $quick ]]; then
    step 'Debian packages' install_packages
    step 'client libraries' bash tests/sdk/run.sh --install
fi
# Reports a missing mark now, not only with the recipes, which come last.
blocks_python=$root/tests/sdk/.venv/7.5.1/bin/python
[[ ! -x $blocks_python ]] || step 'marks of code blocks' "$blocks_python" tests/sdk/blocks.py --marks
step 'format' cargo fmt --all --check
# incompatible_msrv forbids APIs that are newer than the Rust version that Cargo.toml promises.
step 'clippy' cargo clippy --quiet --workspace --all-targets -- -D warnings -D clippy::incompatible_msrv
step 'core alone' core_is_pure
[[ -n $quick ]] || step 'library for tests' library_is_lean
# The binary and the tests are built together, so that nothing is compiled twice. The release is built without tests.
step 'build' cargo build --quiet --workspace --bins --tests
step 'Rust tests' rust_tests
step 'doc tests' cargo test --quiet --workspace --doc
step 'documentation' documentation

export FAUXFAX_BIN=$target/debug/fauxfax
if [[ -z $quick ]]; then
    for way in base-url proxy exec; do
        for suite in python-6.63.2 python-7.5.1 python-7.9.1 python-9.13.0 node-3 node-5 node-6; do
            step "$way $suite" env "FAUXFAX_WAY=$way" bash tests/sdk/run.sh --no-install "$suite"
        done
    done
    for way in base-url proxy exec space; do
        for suite in signalwire-python-2.1.1 signalwire-compatibility-3 signalwire-node-2 signalwire-node-3; do
            step "$way $suite" env "FAUXFAX_WAY=$way" bash tests/sdk/run.sh --no-install "$suite"
        done
    done
    for suite in curl php java cli-2.36.1 cli-6.2.4 namespace emr inbox; do
        step "unchanged $suite" bash tests/sdk/run.sh --no-install "$suite"
    done
    step 'documents' bash tests/documents/run.sh
    step 'control API by schemathesis' bash tests/sdk/schemathesis.sh
    step 'tools for assistants' bash tests/mcp/run.sh
    step 'cargo tools' install_cargo_tools
    step 'licenses and bans' "$tools/bin/cargo-deny" check licenses bans sources
    step 'unused crates' "$tools/bin/cargo-machete"
    [[ ! -d tests/browser ]] || step 'browser' browser_tests
    [[ ! -d fuzz ]] || step 'fuzz targets' fuzz_builds
    step 'static binary' build_static
    step 'empty chroot' bash tests/chroot.sh "$static"
    step 'state on a mounted file' bash tests/mounted.sh "$static"
    step 'soak' env "FAUXFAX_BIN=$static" bash tests/soak.sh 60
    step 'demo' demo
    step 'recipes' env "FAUXFAX_BIN=$static" bash tests/sdk/recipes.sh
    for name in "${PACKAGES_IN_ORDER[@]}"; do
        step "package $name" env "FAUXFAX_BIN=$static" bash "tests/packages/$name.sh"
    done
    step 'scripts, Dockerfile' bash tests/lint/run.sh
else
    for suite in python-7.5.1 node-3 signalwire-python-2.1.1 signalwire-compatibility-3; do
        step "client $suite" installed "$suite" bash tests/sdk/run.sh --no-install "$suite"
    done
fi

summary

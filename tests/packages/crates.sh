#!/usr/bin/env bash
# Checks that the crates are ready for crates.io: what their packages contain, how large they are, and that they compile from
# their own files alone. Uploads nothing. The release also builds them, which takes several times as long.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

# The maximum size of a compressed package. crates.io accepts 10 MiB.
readonly CRATE_BYTES_MAX=1000000
# Files that belong only in the repository. The packages list what they include, so any of these would be there by mistake.
readonly FORBIDDEN='^(docs/(images|site|recipes/(node|pytest))|fuzz|tests|benches|packages|target|\.github|\.ci|fixtures/api|fixtures/documents/cases)/|\.(png|tiff?|snap|sh)$'

echo '--- metadata, index and contents'
# Reads the index of crates.io, and stops before it uploads.
cargo publish --workspace --dry-run --no-verify --allow-dirty 2>&1 | tee "$work/log"
if grep -E '^warning: manifest has no' "$work/log"; then
    exit 1
fi
cargo package --quiet --workspace --no-verify --allow-dirty
version=$(project version)
for name in fauxfax-core fauxfax; do
    crate=$target/package/$name-$version.crate
    tar -xzf "$crate" -C "$work"
    (cd "$work/$name-$version" && find . -type f | cut -c 3-) >"$work/$name.list"
    if grep -E "$FORBIDDEN" "$work/$name.list"; then
        echo "these belong in the repository alone; see \`include\` in the Cargo.toml of $name"
        exit 1
    fi
    for file in README.md LICENSE-APACHE LICENSE-MIT; do
        [[ -s $work/$name-$version/$file ]] || {
            echo "the package of $name lacks $file"
            exit 1
        }
    done
    size=$(stat -c %s "$crate")
    ((size <= CRATE_BYTES_MAX)) || {
        echo "the package of $name has $size bytes, more than $CRATE_BYTES_MAX"
        exit 1
    }
    cp "$crate" "$PACKAGES"
done

echo '--- compiled from the packages alone'
# This folder is outside the repository's workspace, and the core comes from its own package. Dependencies are already compiled if
# clippy has run with the same target folder.
cd "$work/fauxfax-$version"
CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$target cargo check --quiet --bins --lib --config "patch.crates-io.fauxfax-core.path='$work/fauxfax-core-$version'"

echo '--- the features that docs.rs documents'
cargo metadata --quiet --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    unknown = set(package["metadata"]["docs"]["rs"].get("features", [])) - set(package["features"])
    if unknown:
        sys.exit("docs.rs would not build {}: it has no feature {}".format(package["name"], ", ".join(sorted(unknown))))'
weigh "$PACKAGES"/*.crate

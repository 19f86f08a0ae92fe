#!/usr/bin/env bash
# Writes the bill of materials of the binary: the crates in it, with versions and licences, as CycloneDX.
#
#   packages/release/sbom.sh FILE
#
# Needs cargo-cyclonedx.
set -euo pipefail

out=$(realpath -m "${1:?usage: packages/release/sbom.sh FILE}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# The tool writes its output beside each Cargo.toml, so it runs on copies of these files. It needs the sources to exist,
# but doesn't read them.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/core"
cp Cargo.toml Cargo.lock "$copy"
cp core/Cargo.toml "$copy/core"
for folder in src benches examples tests core/src; do
    ln -s "$PWD/$folder" "$copy/$folder"
done
# The same commit gives the same file.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} \
    cargo cyclonedx --quiet --manifest-path "$copy/Cargo.toml" --format json --spec-version 1.5 --no-build-deps \
    --target all --override-filename sbom
mkdir -p "$(dirname "$out")"
# Removes the copy's path, which is different each time.
sed "s|file://$copy|.|g" "$copy/sbom.json" >"$out"

#!/usr/bin/env bash
# Makes the Debian package from a binary that runs on this machine, with the manual pages and completions that it prints.
#
#   packages/debian/build.sh BINARY FOLDER
#
# Needs cargo-deb, binutils, dpkg, git and Python. [package.metadata.deb] in Cargo.toml says which file goes where.
set -euo pipefail

[[ $# == 2 ]] || {
    echo 'usage: packages/debian/build.sh BINARY FOLDER' >&2
    exit 2
}
binary=$(realpath "$1")
folder=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fact() {
    python3 packages/project.py "$1"
}
version=$(fact version)
maintainer="$(fact name) maintainers <$(fact owner)@users.noreply.github.com>"

# cargo-deb finds built files only in the target folder, at paths that begin with target/release whatever the profile.
staged=$(realpath -m "${CARGO_TARGET_DIR:-target}")/release/debian
rm -rf "$staged"
mkdir -p "$staged/man" "$folder"
strip -o "$staged/fauxfax" "$binary"
"$binary" man --dir "$staged/man"
gzip -9n "$staged"/man/*.1
for shell in bash zsh fish; do
    "$binary" completions "$shell" >"$staged/$shell"
done
{
    python3 packages/project.py fill <packages/debian/copyright
    # In this file, each line of a licence text is indented by a space, and an empty line is written as a full stop.
    sed -e '1,/^$/d' -e 's/^/ /' -e 's/^ $/ ./' LICENSE-MIT
} >"$staged/copyright"
gzip -9nc CHANGELOG.md >"$staged/changelog.gz"
# The time of the last commit, so that the same commit makes the same package.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
gzip -9nc >"$staged/changelog.Debian.gz" <<CHANGES
fauxfax ($version-1) unstable; urgency=medium

  * Release $version; /usr/share/doc/fauxfax/changelog.gz says what is new.

 -- $maintainer  $(date -uR -d "@$SOURCE_DATE_EPOCH")
CHANGES

package=$folder/fauxfax_$version-1_$(dpkg --print-architecture).deb
cargo deb --quiet --no-build --no-strip --package fauxfax --maintainer "$maintainer" --output "$package"

#!/usr/bin/env bash
# The action's first step: downloads a release, checks its checksum and puts fauxfax on PATH. Also runs with macOS's bash 3.2.
set -euo pipefail

manifest=$(dirname "${BASH_SOURCE[0]}")/../../Cargo.toml
fact() {
    sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$manifest" | head -n 1
}

fail() {
    echo "::error title=fauxfax::$1"
    exit 1
}

version=${FAUXFAX_ACTION_VERSION:-$(fact version)}
version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
    fail "the input 'version' is '$version'; it must be a whole version such as $(fact version)"
releases=${FAUXFAX_ACTION_RELEASES:-$(fact repository)/releases/download}

case ${RUNNER_OS:?}-${RUNNER_ARCH:?} in
    Linux-X64) archive=fauxfax-x86_64-unknown-linux-gnu.tar.gz ;;
    Linux-ARM64) archive=fauxfax-aarch64-unknown-linux-gnu.tar.gz ;;
    macOS-X64) archive=fauxfax-x86_64-apple-darwin.tar.gz ;;
    macOS-ARM64) archive=fauxfax-aarch64-apple-darwin.tar.gz ;;
    Windows-X64) archive=fauxfax-x86_64-pc-windows-msvc.zip ;;
    *) fail "there is no release for $RUNNER_OS on $RUNNER_ARCH; the releases are for Linux and macOS on X64 and ARM64, and Windows on X64" ;;
esac

# Where the runner keeps files of one job. On Windows that is a path with backslashes.
folder=${RUNNER_TEMP:?}/fauxfax-$version
[[ $RUNNER_OS != Windows ]] || folder=$(cygpath -u "$folder")
mkdir -p "$folder"

for file in "$archive" SHA256SUMS; do
    curl --fail --silent --show-error --location --retry 3 --max-time 300 \
        --output "$folder/$file" "$releases/v$version/$file" ||
        fail "$releases/v$version/$file can't be downloaded; is there a release of version $version?"
done

expected=$(awk -v name="$archive" '$2 == name { print $1 }' "$folder/SHA256SUMS")
[[ -n $expected ]] || fail "the SHA256SUMS of version $version don't name $archive"
if command -v sha256sum >/dev/null; then
    found=$(sha256sum "$folder/$archive")
else
    found=$(shasum -a 256 "$folder/$archive")
fi
found=${found%% *}
# sha256sum puts a backslash in front of the sum if the file's name contains one, as it may in Git Bash.
[[ ${found#\\} == "$expected" ]] || {
    rm -f "$folder/$archive"
    fail "$archive of version $version has the checksum ${found#\\}, but SHA256SUMS says $expected; it was not installed"
}

case $archive in
    *.zip) unzip -q -o "$folder/$archive" -d "$folder" ;;
    *) tar -xzf "$folder/$archive" -C "$folder" ;;
esac
program=${archive%.tar.gz}
program=$folder/${program%.zip}
"$program/fauxfax" --version
[[ $RUNNER_OS != Windows ]] || program=$(cygpath -w "$program")
echo "$program" >>"${GITHUB_PATH:?}"
echo "version=$version" >>"${GITHUB_OUTPUT:?}"

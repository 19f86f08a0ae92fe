#!/usr/bin/env bash
# Builds the image from static binaries that exist already, one for each architecture.
#
#   build.sh archive FILE ARCH=BINARY    saves the image of one architecture as a Docker archive, with Podman
#   build.sh push ARCH=BINARY…           pushes the image of all architectures to the registry, with docker buildx
#   build.sh name                        prints the image's name in the registry
#
# ARCH is Docker's word: amd64 or arm64. METADATA names a file for buildx's metadata, such as the digest that was pushed.
# The image is the last stage of the Dockerfile. Its stage "build" is replaced by a folder with the binaries.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

fill() {
    python3 "$root/packages/project.py" fill
}

# The registry accepts only names in lower case.
name() {
    fill <<<'ghcr.io/@owner@/@name@:@version@' | tr '[:upper:]' '[:lower:]'
}

# Puts the binaries where the Dockerfile's last stage expects them, below $folder.
collect() {
    local given arch binary
    for given in "$@"; do
        arch=${given%%=*} binary=${given#*=}
        [[ $given == *=* && $arch =~ ^(amd64|arm64)$ ]] || usage
        [[ -f $binary ]] || {
            echo "$binary is missing; build it with the profile dist, as the Dockerfile does" >&2
            exit 1
        }
        # Nothing else is in the image, not even a dynamic loader.
        if readelf --program-headers --wide "$binary" | grep -q INTERP; then
            echo "$binary is not static; build it with RUSTFLAGS='-C target-feature=+crt-static'" >&2
            exit 1
        fi
        install -D -m 0755 "$binary" "$folder/out/$arch/fauxfax"
    done
}

# Prints the labels of this version, one per line.
labels() {
    local revision
    revision=$(git -C "$root" rev-parse HEAD)
    fill <<LABELS
org.opencontainers.image.description=@description@
org.opencontainers.image.licenses=@license@
org.opencontainers.image.revision=$revision
org.opencontainers.image.source=@repository@
org.opencontainers.image.url=@repository@
org.opencontainers.image.version=@version@
LABELS
}

last_stage() {
    sed -n '/^FROM scratch/,$p' "$root/Dockerfile"
}

(($#)) || usage
command=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The time of the commit, so that a second build of the same commit gives the same image.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH

case $command in
    name)
        (($# == 0)) || usage
        name
        ;;
    archive)
        (($# == 2)) || usage
        archive=$(realpath -m "$1")
        collect "$2"
        mapfile -t flags < <(labels | sed 's/^/--label=/')
        # The OCI format has no health check, so Docker's is used. Without layers, the binary is stored once, not after each step.
        last_stage | podman build --quiet --format docker --layers=false --timestamp "$SOURCE_DATE_EPOCH" \
            --platform "linux/${2%%=*}" --build-context "build=$folder" "${flags[@]}" --tag "$(name)" --file - "$root"
        rm -f "$archive"
        podman save --quiet --format docker-archive --output "$archive" "$(name)"
        ;;
    push)
        (($#)) || usage
        python3 "$root/packages/project.py" publishable
        collect "$@"
        platforms=$(printf ',linux/%s' "${@%%=*}")
        flags=(--tag "$(name)")
        # A pre-release such as 1.0.0-rc.1 must not become the latest version, which people get if they name none.
        version=$(python3 "$root/packages/project.py" version)
        [[ $version == *-* ]] || flags+=(--tag "$(name | sed 's/:[^:]*$/:latest/')")
        while IFS= read -r label; do
            # For an image for several platforms, registries show the annotations, not the labels.
            flags+=(--label "$label" --annotation "index,manifest:$label")
        done < <(labels)
        [[ -z ${METADATA:-} ]] || flags+=(--metadata-file "$METADATA")
        last_stage | docker buildx build --platform "${platforms#,}" --build-context "build=$folder" "${flags[@]}" \
            --provenance mode=max --sbom true --push --file - "$root"
        ;;
    *) usage ;;
esac

#!/usr/bin/env bash
# Puts the devcontainer feature into a folder, in the layout that `devcontainer features publish` expects.
#
#   packages/devcontainer/build.sh FOLDER
set -euo pipefail

folder=$(realpath -m "${1:?usage: packages/devcontainer/build.sh FOLDER}")/fauxfax
cd "$(dirname "${BASH_SOURCE[0]}")/fauxfax"
mkdir -p "$folder"
for template in *.in; do
    python3 ../../project.py fill <"$template" >"$folder/${template%.in}"
done
chmod +x "$folder/install.sh"

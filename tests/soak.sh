#!/usr/bin/env bash
# Puts an emulator under load from apps and clients at the same time. The apps hang, send one piece at a time, reset connections or
# never end a response. The clients upload, wait, read streams, reset and replace the world, and are slow. Prints memory and
# descriptors before, during and after the load and latency during it, and fails if memory, descriptors or held bytes are left over.
#
#   bash tests/soak.sh [SECONDS]      seconds of load, without the first round (default: 60); FAUXFAX_BIN names the binary
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-target}/debug/fauxfax}")
exec python3 tests/soak.py "$binary" "${1:-60}"

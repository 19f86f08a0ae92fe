#!/usr/bin/env bash
# Puts an emulator under load from all sides: apps that hang, drip, reset and never end, uploads, waits, streams, resets,
# states and slow clients. Prints memory, descriptors and latency before, at the peak and after, and fails if anything was
# left over.
#
#   bash tests/soak.sh [SECONDS]      seconds of load after a first round (default: 60); FAUXFAX_BIN names the binary
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-target}/debug/fauxfax}")
exec python3 tests/soak.py "$binary" "${1:-60}"

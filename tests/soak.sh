#!/usr/bin/env bash
# Loads an emulator with everything at once for a while: apps that hang, drip, reset and never end, uploads, waits, streams,
# resets, states and slow clients. Tells memory, descriptors and latency before, at the peak and after, and fails where
# something was left over.
#
#   bash tests/soak.sh [SECONDS]      of load, 60 where nothing is said, after a first round; FAUXFAX_BIN names the binary
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-target}/debug/fauxfax}")
exec python3 tests/soak.py "$binary" "${1:-60}"

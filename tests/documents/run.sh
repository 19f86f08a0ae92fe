#!/usr/bin/env bash
# Reads what `fauxfax convert` writes with independent programs: each file must pass tiffinfo, tiff2pdf, qpdf --check,
# pdfinfo and Ghostscript without a warning, and the pels of the TIFF, read by libtiff, must equal those of the PDF, read by
# poppler.
#
#   tests/documents/run.sh [FOLDER]
#
# FOLDER contains the PDFs to convert (default: documents that make.py makes, and two of fixtures/documents). FAUXFAX_BIN names
# the binary (default: the one that cargo build makes).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fauxfax=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-target}/debug/fauxfax}")
[[ -x $fauxfax ]] || {
    echo "$fauxfax does not exist; build it: cargo build --bin fauxfax" >&2
    exit 1
}
for tool in tiffinfo tiff2pdf tiffsplit tiffcp qpdf pdfinfo pdftoppm gs python3; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not installed; install libtiff-tools, qpdf, poppler-utils and ghostscript"
        exit 77
    }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
documents=()
if (($#)); then
    documents+=("$1"/*.pdf)
else
    python3 tests/documents/make.py "$scratch"
    documents+=("$scratch"/*.pdf "$scratch"/*.png fixtures/documents/two-pages.pdf fixtures/documents/empty-password.pdf)
fi

# Runs a reader, which must succeed and print nothing on standard error.
silent() {
    "$@" >/dev/null 2>"$scratch/said" && [[ ! -s $scratch/said ]] && return
    echo "$* says:" >&2
    cat "$scratch/said" >&2
    return 1
}

files=0
pages=0
for document in "${documents[@]}"; do
    for quality in standard fine superfine; do
        tiff=$scratch/page.tiff pdf=$scratch/page.pdf
        "$fauxfax" convert --quiet --quality $quality "$document" "$tiff"
        "$fauxfax" convert --quiet --quality $quality "$document" "$pdf"
        silent tiffinfo -D "$tiff"
        silent tiff2pdf -o "$scratch/tiff2pdf.pdf" "$tiff"
        silent qpdf --check "$pdf"
        silent pdfinfo "$pdf"
        silent gs -q -dNOPAUSE -dBATCH -sDEVICE=nullpage "$pdf"
        silent gs -q -dNOPAUSE -dBATCH -sDEVICE=nullpage "$scratch/tiff2pdf.pdf"
        same=$(python3 tests/documents/same_pels.py "$tiff" "$pdf")
        files=$((files + 2))
        pages=$((pages + same))
    done
done
echo "$files files without a warning; the pels of $pages pages are the same in TIFF and PDF"

//! The `fauxfax` binary: an allocator and a call to [`fauxfax::cli::main`].

use std::process::ExitCode;

/// A REST call makes many small allocations, for which mimalloc is faster than the C library's allocator: compared with
/// musl's, it halves the time per call.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fauxfax::cli::main()
}

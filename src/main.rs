//! The binary. Everything it does is in `cli`.

use std::process::ExitCode;

/// Most of the time of a call goes into small allocations, which this makes cheaper than the C library does; with musl's
/// the difference is a half.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fauxfax::cli::main()
}

//! `fauxfax render-child`: renders one document for a parent process. On Linux, it limits its own memory first. The
//! emulator and the commands that convert documents start it; users don't.

use std::process::ExitCode;

use crate::io::render::run_child;

pub(super) fn run() -> ExitCode {
    run_child(limit_memory)
}

#[cfg(unix)]
fn limit_memory() -> std::io::Result<()> {
    // Core dumps are turned off: a malicious document could cause one as large as the address space.
    rlimit::setrlimit(rlimit::Resource::CORE, 0, 0)?;
    limit_address_space()
}

/// Sets no limit: these limits are Unix's, and Windows writes no core dumps.
#[cfg(not(unix))]
fn limit_memory() -> std::io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn limit_address_space() -> std::io::Result<()> {
    use crate::io::render::{ADDRESS_SPACE_BYTES_MAX, MEMORY_BYTES_MAX};
    rlimit::setrlimit(rlimit::Resource::DATA, MEMORY_BYTES_MAX, MEMORY_BYTES_MAX)?;
    rlimit::setrlimit(rlimit::Resource::AS, ADDRESS_SPACE_BYTES_MAX, ADDRESS_SPACE_BYTES_MAX)
}

/// Sets no limit: macOS refuses any limit below the address space that it reserves for every process, and then no
/// document would be rendered.
#[cfg(all(unix, not(target_os = "linux")))]
fn limit_address_space() -> std::io::Result<()> {
    Ok(())
}

//! The binary. Everything it does is in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fauxfax::cli::main()
}

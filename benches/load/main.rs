//! Measures the figures in docs/benchmarks.md that need a load from a separate process:
//! `cargo bench --bench load [-- NAME…]`. Most are ratios within one run with interleaved rounds, so that fluctuations
//! of the machine cancel out.

mod app;
mod bare;
mod client;
mod emulator;
mod figures;
mod gateway;

use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare-server", size] => bare::serve(size),
        ["bare-source"] => bare::source(),
        ["bare-webhooks", address, count, plan] => bare::webhooks(address, count, plan),
        _ => figures::run(&args, |line| println!("{line}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

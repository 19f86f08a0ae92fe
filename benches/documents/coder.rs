//! Runs the T.6 coder: `cargo bench --bench coder -- FILE ROUNDS` reads a document and codes its pages ROUNDS times.
//! `benches/documents/run.py --coder` times this program and compares the coder with libtiff's.

use std::ops::ControlFlow;
use std::sync::Arc;

use fauxfax::document::{self, Options, ccitt, page};

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(file), Some(rounds)) = (arguments.next(), arguments.next()) else {
        println!("usage: cargo bench --bench coder -- FILE ROUNDS");
        return Ok(());
    };
    let bytes: Arc<[u8]> = std::fs::read(file)?.into();
    let mut pages = Vec::new();
    document::pages(&bytes, &Options::default(), |page| {
        pages.push(page::decoded(&page));
        ControlFlow::Continue(())
    })
    .map_err(|fault| fault.reason)?;
    let coded: usize = (0..rounds.parse::<usize>()?).flat_map(|_| &pages).map(|page| ccitt::g4(page).len()).sum();
    println!("{} pages, {coded} bytes coded", pages.len());
    Ok(())
}

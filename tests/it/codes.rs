//! Draws a real QR code and a real Code 128 barcode, which scanners can read, as content streams for PDFs.

use std::fmt::Write;

/// The QR code of "fauxfax" in version 1, with error correction M: one number per row, and one bit per module.
const QR: [u32; 21] = [
    0x1fce7f, 0x104d41, 0x174c5d, 0x17475d, 0x17435d, 0x105841, 0x1fd57f, 0x000c00, 0x12d3a0, 0x089eab, 0x0762cd,
    0x1625ea, 0x12fa4b, 0x0014c1, 0x1fcf76, 0x105c41, 0x174dc9, 0x1758f7, 0x174af5, 0x104b20, 0x1fd0ba,
];

/// The widths of the bars and spaces of "FAX-1" in Code 128, in modules.
const BARS: &str = "2112141323111113233311211221321232213111412331112";

/// Draws the QR code with its lower left corner at (`left`, `bottom`), in points.
pub(crate) fn qr(left: f64, bottom: f64, module: f64) -> String {
    let mut content = String::new();
    for (row, modules) in (0..21_u32).zip(QR.iter().rev()) {
        for column in (0..21_u32).filter(|column| modules >> (20 - column) & 1 == 1) {
            let (x, y) = (left + f64::from(column) * module, bottom + f64::from(row) * module);
            write!(content, "{x:.4} {y:.4} {module:.4} {module:.4} re ").expect("in memory");
        }
    }
    content + "f"
}

/// Draws the barcode from (`left`, `bottom`), in points: upwards if `is_upwards`, otherwise to the right.
pub(crate) fn bars([left, bottom]: [f64; 2], module: f64, is_upwards: bool) -> String {
    let (mut at, mut content) = (0.0, String::new());
    for (number, width) in BARS.bytes().enumerate() {
        let width = f64::from(width - b'0') * module;
        if number % 2 == 0 && is_upwards {
            write!(content, "{left} {:.4} 40 {width:.4} re ", bottom + at).expect("in memory");
        } else if number % 2 == 0 {
            write!(content, "{:.4} {bottom} {width:.4} 40 re ", left + at).expect("in memory");
        }
        at += width;
    }
    content + "f"
}

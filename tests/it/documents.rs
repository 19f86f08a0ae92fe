//! Tests the renderer, mostly as the binary runs it: one process per document, with limits. The hostile documents are
//! built in this file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fauxfax::document::sample;
use fauxfax::io::render::{RenderOptions, Renderer};
use fauxfax::model::account::DocumentPolicy;
use fauxfax::model::fax::{MediaType, Quality};
use fauxfax::model::media::Document;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};

const PASSWORD: &[u8] = include_bytes!("../../fixtures/documents/password.pdf");
const EMPTY_PASSWORD: &[u8] = include_bytes!("../../fixtures/documents/empty-password.pdf");

fn renderer() -> Renderer {
    let options = RenderOptions {
        program: Some(PathBuf::from(env!("CARGO_BIN_EXE_fauxfax"))),
        at_once: Some(2),
        page_limit: Duration::from_secs(5),
        document_limit: Duration::from_secs(20),
        ..RenderOptions::default()
    };
    Renderer::new(options).expect("a renderer")
}

/// Renders a document for sending. An error is the reason for which it can't be rendered.
async fn sent(bytes: &[u8], quality: Quality) -> Result<Document, String> {
    renderer().to_send(Arc::from(bytes), quality, DocumentPolicy::Lenient).await.map_err(|fault| fault.reason)
}

/// Returns the reason for which a document can't be rendered.
async fn reason(bytes: &[u8]) -> String {
    match sent(bytes, Quality::Fine).await {
        Ok(document) => panic!("rendered: {document:?}"),
        Err(reason) => reason,
    }
}

/// Builds a one-page PDF of this size (in points) with this content. `add` writes the object with the number that it is
/// given. The content can use this object as the image or form `X` and as the font `F`. If `add` also writes the object
/// with the next number, that object is an annotation of the page.
fn pdf(size: (f32, f32), content: &[u8], add: impl FnOnce(&mut Pdf, Ref)) -> Vec<u8> {
    let (catalog, tree, page, stream, thing) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut dictionary = pdf.page(page);
    dictionary.media_box(Rect::new(0.0, 0.0, size.0, size.1)).parent(tree).contents(stream);
    let mut resources = dictionary.resources();
    resources.x_objects().pair(Name(b"X"), thing);
    resources.fonts().pair(Name(b"F"), thing);
    resources.finish();
    dictionary.annotations([Ref::new(thing.get() + 1)]);
    dictionary.finish();
    pdf.stream(stream, content);
    add(&mut pdf, thing);
    pdf.finish()
}

/// Builds a letter-size page with a grey image whose data are coded for this filter.
fn with_image(filter: Filter, columns: i32, rows: i32, data: &[u8]) -> Vec<u8> {
    pdf((612.0, 792.0), b"q 500 0 0 700 50 50 cm /X Do Q", |pdf, thing| {
        let mut image = pdf.image_xobject(thing, data);
        image.filter(filter);
        image.width(columns).height(rows).bits_per_component(8);
        image.color_space().device_gray();
        if filter == Filter::CcittFaxDecode {
            image.decode_parms().k(-1).columns(columns).rows(rows);
        }
    })
}

/// Returns a zlib stream that inflates to about `copies` times 258 zeros. Its one block has the symbol 0, then copies
/// of 258 bytes (RFC 1951 §3.2.6).
fn zeros(copies: usize) -> Vec<u8> {
    let (mut bytes, mut pending, mut filled) = (vec![0x78, 0x01], 0_u64, 0);
    let mut put = |bits: u64, count: u32| {
        pending |= bits << filled;
        filled += count;
        while filled >= 8 {
            bytes.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    };
    // The last block (1), with the fixed codes (01).
    put(0b011, 3);
    // Codes are written with their highest bit first: 0 is 00110000, 285 is 11000101, distance 1 is 00000.
    put(0b0000_1100, 8);
    (0..copies).for_each(|_| put(0b0_0000_1010_0011, 13));
    // The code 0000000 ends the block; eight further bits flush it into the last byte.
    put(0, 7 + 8);
    // Zeros in place of the checksum.
    bytes.extend([0; 4]);
    bytes
}

#[tokio::test]
async fn a_document_becomes_a_file_of_fax_pages() {
    for (quality, rows) in [(Quality::Standard, 1_078), (Quality::Fine, 2_156), (Quality::Superfine, 4_301)] {
        let document = sent(&sample::test_pages(2), quality).await.expect("it renders");
        assert_eq!((document.media_type, document.pages, document.sheets.len()), (MediaType::Pdf, 2, 2));
        for sheet in document.sheets.iter() {
            assert_eq!((sheet.width, sheet.height, sheet.quality), (1_728, rows, quality));
            assert!(sheet.bits.mmr > 50_000 && sheet.bits.filled.is_some());
        }
    }
}

#[tokio::test]
async fn processes_and_threads_produce_the_same_pages() {
    let bytes: Arc<[u8]> = sample::test_pages(1).into();
    let by_process =
        renderer().to_send(Arc::clone(&bytes), Quality::Fine, DocumentPolicy::Strict).await.expect("rendered");
    let by_thread = Renderer::threads().to_send(bytes, Quality::Fine, DocumentPolicy::Strict).await.expect("rendered");
    assert_eq!(by_process.bytes, by_thread.bytes);
    assert_eq!(by_process, by_thread);
}

#[tokio::test]
async fn strict_mode_accepts_only_pdf() {
    let tiff = fauxfax::document::file::document(&[], MediaType::Tiff, &[]).bytes;
    let refused = renderer().to_send(tiff, Quality::Fine, DocumentPolicy::Strict).await;
    assert!(refused.unwrap_err().reason.contains("only PDF"));
}

#[tokio::test]
async fn an_empty_password_opens_a_document_and_a_real_one_is_reported() {
    assert_eq!(sent(EMPTY_PASSWORD, Quality::Fine).await.map(|document| document.pages), Ok(2));
    assert!(reason(PASSWORD).await.contains("password"));
}

#[tokio::test]
async fn a_file_that_is_not_a_document_fails_with_a_reason() {
    for (bytes, why) in [
        (&b""[..], "empty"),
        (b"<!doctype html><p>sign in", "web page"),
        (b"%PDF-1.7\nand no more", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8\xff\xe0 and no more", "damaged"),
        (b"II\x2a\0\x08\0\0\0", "damaged"),
        (b"GIF89a", "neither"),
    ] {
        let reason = reason(bytes).await;
        assert!(reason.contains(why), "{reason}");
    }
    let whole = sample::test_pages(3);
    for cut in [100, whole.len() / 2, whole.len() - 40] {
        // A truncated file fails or yields the parts that can be found.
        if let Ok(document) = sent(&whole[..cut], Quality::Standard).await {
            assert!(document.pages <= 3, "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn oddly_sized_pages_are_cut_up_left_out_or_made_to_fit() {
    let page =
        |width, height| pdf((width, height), b"0 0 m 100 100 l S", |pdf, thing| pdf.indirect(thing).primitive(0));
    // A page without a size is left out, or gets the renderer's default size.
    let none = sent(&page(0.0, 0.0), Quality::Standard).await;
    assert!(none.as_ref().map_or_else(|reason| reason.contains("area"), |made| made.pages == 1), "{none:?}");
    let tall = sent(&page(612.0, 1_000_000.0), Quality::Standard).await.expect("cut up");
    assert_eq!(tall.pages, 10);
    assert!(tall.losses.iter().any(|loss| loss.what.contains("cut off")), "{:?}", tall.losses);
    let wide = sent(&page(14_400.0, 14_400.0), Quality::Standard).await.expect("made to fit");
    assert_eq!((wide.pages, wide.sheets[0].width), (1, 1_728));
}

#[tokio::test]
async fn images_too_large_to_decode_affect_only_their_document() {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(35_000_u32.to_be_bytes());
    png.extend(35_000_u32.to_be_bytes());
    png.extend([1, 0, 0, 0, 0]);
    // A chunk ends with the checksum of its type and data.
    png.extend(crc(&png[12..]).to_be_bytes());
    png.extend(*b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    let refused = reason(&png).await;
    assert!(refused.contains("too large"), "{refused}");
    let bomb = with_image(Filter::FlateDecode, 32_000, 32_000, &zeros(32_000 * 32_000 / 258));
    let endless = with_image(Filter::CcittFaxDecode, 35_000, 35_000, &[0x26; 2_000]);
    let jpx = {
        let mut head = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
        head.extend([60_000_u32, 60_000, 0, 0, 60_000, 60_000, 0, 0].iter().flat_map(|size| size.to_be_bytes()));
        head.extend([0, 1, 7, 1, 1, 0xff, 0xd9]);
        with_image(Filter::JpxDecode, 60_000, 60_000, &head)
    };
    let jbig2 = {
        // The page, then a region whose length is unknown (T.88 §7.2.7): both of 60,000 × 60,000 pels.
        let size = [60_000_u32, 60_000].map(u32::to_be_bytes).concat();
        let mut segments = [&[0, 0, 0, 0, 48, 0, 1, 0, 0, 0, 19][..], &size, &[0; 11]].concat();
        segments.extend([&[0, 0, 0, 1, 38, 0, 1, 0xff, 0xff, 0xff, 0xff][..], &size, &[0; 10]].concat());
        // The template's pixels (§7.4.6.3), then arithmetic coding that never ends.
        segments.extend([3, 0xff, 0xfd, 0xff, 2, 0xfe, 0xfe, 0xfe]);
        segments.extend([0x5a; 2_000]);
        with_image(Filter::Jbig2Decode, 60_000, 60_000, &segments)
    };
    let renderer = renderer();
    for (name, bytes) in [("flate", bomb), ("ccitt", endless), ("jpx", jpx), ("jbig2", jbig2)] {
        // The document fails with a reason or is drawn without the image; then the next document renders as usual.
        let made = renderer.to_send(bytes.into(), Quality::Standard, DocumentPolicy::Lenient).await;
        assert!(
            made.as_ref().map_or_else(|fault| !fault.reason.is_empty(), |made| made.pages == 1),
            "{name}: {made:?}"
        );
        let next = renderer.to_send(sample::test_pages(1).into(), Quality::Standard, DocumentPolicy::Lenient).await;
        assert!(next.is_ok(), "after {name}");
    }
}

/// Builds a page with text in a Japanese font that the PDF doesn't embed; the codes are UTF-16.
fn japanese() -> Vec<u8> {
    pdf((612.0, 792.0), b"BT /F 40 Tf 72 600 Td <65E5672C8A9E> Tj ET", |pdf, font| {
        let descendant = Ref::new(font.get() + 1);
        let mut composite = pdf.type0_font(font);
        composite.base_font(Name(b"Nowhere-Gothic")).encoding_predefined(Name(b"UniJIS-UTF16-H"));
        composite.descendant_font(descendant);
        composite.finish();
        let mut cid = pdf.cid_font(descendant);
        cid.subtype(pdf_writer::types::CidFontType::Type0).base_font(Name(b"Nowhere-Gothic"));
        let (registry, ordering) = (pdf_writer::Str(b"Adobe"), pdf_writer::Str(b"Japan1"));
        cid.system_info(pdf_writer::types::SystemInfo { registry, ordering, supplement: 2 }).default_width(1_000.0);
    })
}

#[tokio::test]
async fn text_without_a_font_is_reported() {
    let made = sent(&japanese(), Quality::Standard).await.expect("rendered");
    let told: Vec<&str> = made.losses.iter().map(|loss| &*loss.what).collect();
    assert!(
        told.iter().any(|what| what.contains("Japanese characters are missing") && what.contains("--font-dir")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_field_value_without_an_appearance_is_drawn() {
    let form = pdf((612.0, 792.0), b"0 0 m 100 100 l S", |pdf, thing| {
        pdf.indirect(thing).primitive(0);
        let mut field = pdf.annotation(Ref::new(thing.get() + 1));
        field.subtype(pdf_writer::types::AnnotationType::Widget).rect(Rect::new(50.0, 50.0, 200.0, 70.0));
        field.pair(Name(b"FT"), Name(b"Tx")).pair(Name(b"V"), pdf_writer::Str(b"Jane Doe"));
    });
    let made = sent(&form, Quality::Standard).await.expect("rendered");
    assert!(made.losses.is_empty(), "{:?}", made.losses);
    let bare = pdf((612.0, 792.0), b"0 0 m 100 100 l S", |_, _| {});
    let without = sent(&bare, Quality::Standard).await.expect("rendered");
    assert!(made.bytes.len() > without.bytes.len() + 50);
}

#[test]
fn a_missing_font_directory_is_an_error() {
    let options = RenderOptions { font_directory: Some(PathBuf::from("/no/such/fonts")), ..RenderOptions::default() };
    assert!(Renderer::new(options).is_err());
}

#[tokio::test]
async fn a_page_that_never_ends_is_abandoned() {
    let bomb = pdf((612.0, 792.0), b"/X Do", |pdf, first| {
        // Each form draws the next one twice, so the last of the forty would be drawn 2^39 times.
        for form in first.get()..first.get() + 40 {
            let mut content = Content::new();
            content.move_to(0.0, 0.0).line_to(612.0, 700.0).stroke();
            content.x_object(Name(b"X")).x_object(Name(b"X"));
            let data = content.finish();
            let mut object = pdf.form_xobject(Ref::new(form), &data);
            object.bbox(Rect::new(0.0, 0.0, 612.0, 792.0));
            object.resources().x_objects().pair(Name(b"X"), Ref::new(form + 1));
        }
    });
    let renderer = renderer();
    let (stuck, other) = tokio::join!(
        renderer.to_send(bomb.into(), Quality::Standard, DocumentPolicy::Lenient),
        renderer.to_send(sample::test_pages(1).into(), Quality::Standard, DocumentPolicy::Lenient),
    );
    assert!(other.is_ok(), "the other fax is rendered meanwhile");
    // Either the renderer's depth limit or the page's time limit ends the drawing.
    assert!(stuck.as_ref().map_or_else(|fault| fault.reason.contains("longer"), |made| made.pages == 1), "{stuck:?}");
}

#[tokio::test]
async fn three_hundred_thousand_strokes_are_either_drawn_or_refused() {
    let mut content = Vec::new();
    for stroke in 0..300_000_u32 {
        let (x, y) = (stroke.wrapping_mul(7_919) % 612, stroke.wrapping_mul(104_729) % 792);
        content.extend(format!("{x} 0 m {y} 792 l S\n").into_bytes());
    }
    let made = sent(&pdf((612.0, 792.0), &content, |pdf, thing| pdf.indirect(thing).primitive(0)), Quality::Fine).await;
    assert!(made.as_ref().map_or_else(|reason| !reason.is_empty(), |made| made.pages == 1), "{made:?}");
}

#[tokio::test]
async fn a_document_with_flipped_bytes_either_renders_or_fails() {
    let whole = sample::test_pages(1);
    let renderer = Renderer::threads();
    // With this linear congruential generator, every run flips the same bytes.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..40 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        let made = renderer.to_send(bytes.into(), Quality::Standard, DocumentPolicy::Lenient).await;
        // A reason that asks for a bug report would mean that the renderer panicked.
        assert!(made.map_or_else(|fault| !fault.reason.contains("report"), |made| made.pages >= 1));
    }
}

/// Computes the checksum of a PNG chunk (PNG annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

//! Writes a `multipart/form-data` body (RFC 7578) of text fields and files, in the order in which they are added.
//! Incoming uploads are parsed by `multer` instead.

/// A size in bytes that suffices for the part headers of most requests.
const HEADS_BYTES_USUAL: usize = 4_096;

/// A body being written. Names and file names must not contain a quotation mark or a line break.
pub(crate) struct Multipart {
    boundary: String,
    body: Vec<u8>,
}

impl Multipart {
    /// Starts a body with this boundary, which no part may contain. `content_bytes` is an estimate of the parts' total
    /// length.
    pub(crate) fn new(boundary: &str, content_bytes: usize) -> Self {
        Self { boundary: boundary.to_owned(), body: Vec::with_capacity(content_bytes + HEADS_BYTES_USUAL) }
    }

    /// Adds a text field, without a Content-Type.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("; name=\"{name}\""), value.as_bytes())
    }

    /// Adds a file, with a Content-Type if one is given.
    pub(crate) fn file(self, name: &str, file_name: &str, media_type: Option<&str>, bytes: &[u8]) -> Self {
        let kind = media_type.map(|kind| format!("\r\nContent-Type: {kind}")).unwrap_or_default();
        self.part(&format!("; name=\"{name}\"; filename=\"{file_name}\"{kind}"), bytes)
    }

    /// Returns the `Content-Type` value and the finished body.
    pub(crate) fn finish(mut self) -> (String, Vec<u8>) {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), self.body)
    }

    fn part(mut self, head: &str, content: &[u8]) -> Self {
        let head = format!("--{}\r\nContent-Disposition: form-data{head}\r\n\r\n", self.boundary);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_in_the_order_in_which_they_were_added() {
        let body = Multipart::new("b", 0)
            .text("FaxSid", "FX1")
            .file("Media", "FX1.pdf", Some("application/pdf"), b"%PDF-")
            .file("raw", "x", None, b"");
        let (content_type, body) = body.finish();
        assert_eq!(content_type, "multipart/form-data; boundary=b");
        let expected = "--b\r\nContent-Disposition: form-data; name=\"FaxSid\"\r\n\r\nFX1\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"FX1.pdf\"\r\n\
                        Content-Type: application/pdf\r\n\r\n%PDF-\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"raw\"; filename=\"x\"\r\n\r\n\r\n--b--\r\n";
        assert_eq!(String::from_utf8(body).expect("text"), expected);
    }
}

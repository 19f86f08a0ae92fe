//! What a fax is asked to be and what it can become: quality, direction, status, media type, page size.

use super::words::words;

words!(
    /// Vertical resolution, at 204 dots an inch across (Fax API, `Quality`).
    Quality {
        /// 98 lines an inch.
        Standard = "standard",
        /// 196 lines an inch.
        Fine = "fine",
        /// 391 lines an inch.
        Superfine = "superfine",
    }
);

words!(
    /// Who called whom.
    Direction {
        /// A machine called one of the account's numbers.
        Inbound = "inbound",
        /// The account called a machine.
        Outbound = "outbound",
    }
);

words!(
    /// Where a fax stands (Fax API, status values).
    Status {
        /// Waiting for processing.
        Queued = "queued",
        /// The document is being fetched and converted, or the far end rung.
        Processing = "processing",
        /// Being transmitted.
        Sending = "sending",
        /// Sent.
        Delivered = "delivered",
        /// Being received.
        Receiving = "receiving",
        /// Received.
        Received = "received",
        /// The far end did not pick up.
        NoAnswer = "no-answer",
        /// The far end was busy.
        Busy = "busy",
        /// Sending or receiving failed.
        Failed = "failed",
        /// Canceled by request, or rejected by TwiML.
        Canceled = "canceled",
    }
);

impl Status {
    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Processing | Self::Sending | Self::Receiving => false,
            Self::Delivered | Self::Received | Self::NoAnswer | Self::Busy | Self::Failed | Self::Canceled => true,
        }
    }
}

words!(
    /// What a stored document is, or what `<Receive mediaType>` asks for.
    MediaType {
        /// PDF.
        Pdf = "application/pdf",
        /// Multi-page TIFF.
        Tiff = "image/tiff",
    }
);

impl MediaType {
    /// The file name extension, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Tiff => "tiff",
        }
    }
}

words!(
    /// The paper an incoming fax is printed on (`<Receive pageSize>`).
    PageSize {
        /// 8.5 × 11 inches.
        Letter = "letter",
        /// 8.5 × 14 inches.
        Legal = "legal",
        /// 210 × 297 mm.
        A4 = "a4",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_case_sensitive() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(*status));
        }
        assert_eq!(Status::from_word("Canceled"), None);
        assert_eq!(Quality::from_word("superfine"), Some(Quality::Superfine));
    }
}

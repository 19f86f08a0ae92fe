//! The properties of a fax: quality, direction, status, media type and page size.

use super::words::words;

words!(
    /// Vertical resolution; the horizontal resolution is always 204 dots per inch (Fax API, `Quality`).
    Quality {
        /// 98 lines per inch, the quickest to send.
        Standard = "standard",
        /// 196 lines per inch, Twilio's default.
        Fine = "fine",
        /// 391 lines per inch, which not every machine can receive.
        Superfine = "superfine",
    }
);

words!(
    /// The direction of a fax, which depends on which side placed the call.
    Direction {
        /// A machine called one of the account's numbers.
        Inbound = "inbound",
        /// The account called a machine.
        Outbound = "outbound",
    }
);

words!(
    /// The status of a fax (Fax API, status values).
    Status {
        /// The fax has been created and is waiting to be processed.
        Queued = "queued",
        /// The document is being fetched or converted, or a number of the same world is ringing for the first time.
        Processing = "processing",
        /// The call of an outbound fax is ringing or transmitting, or another call is scheduled.
        Sending = "sending",
        /// An outbound fax has been sent completely.
        Delivered = "delivered",
        /// An inbound fax is being received.
        Receiving = "receiving",
        /// An inbound fax has been received completely.
        Received = "received",
        /// The far end did not pick up.
        NoAnswer = "no-answer",
        /// The far end was busy.
        Busy = "busy",
        /// The fax could not be sent or received completely.
        Failed = "failed",
        /// The fax was canceled by a client, or rejected by TwiML.
        Canceled = "canceled",
    }
);

impl Status {
    /// Returns whether the fax has ended and its status can't change again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Processing | Self::Sending | Self::Receiving => false,
            Self::Delivered | Self::Received | Self::NoAnswer | Self::Busy | Self::Failed | Self::Canceled => true,
        }
    }
}

/// A set of fax statuses, stored as one bit per status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusSet(u16);

impl StatusSet {
    /// Returns whether the status is in the set.
    #[must_use]
    pub const fn contains(self, status: Status) -> bool {
        self.0 & Self::bit(status) != 0
    }

    /// Returns the set of all final statuses.
    #[must_use]
    pub fn all_final() -> Self {
        Status::ALL.iter().copied().filter(|status| status.is_final()).collect()
    }

    /// Returns the statuses in the set, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Status> {
        Status::ALL.iter().copied().filter(move |status| self.contains(*status))
    }

    const fn bit(status: Status) -> u16 {
        // Ten statuses fit into 16 bits.
        1 << status as u16
    }
}

impl FromIterator<Status> for StatusSet {
    fn from_iter<I: IntoIterator<Item = Status>>(statuses: I) -> Self {
        Self(statuses.into_iter().fold(0, |bits, status| bits | Self::bit(status)))
    }
}

words!(
    /// The format of a stored document, as `<Receive mediaType>` requests it.
    MediaType {
        /// PDF, which is the default.
        Pdf = "application/pdf",
        /// TIFF, with all pages in one file.
        Tiff = "image/tiff",
    }
);

impl MediaType {
    /// Returns the file name extension, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Tiff => "tiff",
        }
    }
}

words!(
    /// The paper size on which an incoming fax is printed (`<Receive pageSize>`).
    PageSize {
        /// 8.5 × 11 inches, which is the default.
        Letter = "letter",
        /// 8.5 × 14 inches, longer than Letter.
        Legal = "legal",
        /// 210 × 297 mm, as defined in ISO 216.
        A4 = "a4",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back_and_are_case_sensitive() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(*status));
        }
        assert_eq!(Status::from_word("Canceled"), None);
        assert_eq!(Quality::from_word("superfine"), Some(Quality::Superfine));
    }

    #[test]
    fn a_status_set_contains_what_was_inserted() {
        let set: StatusSet = [Status::Sending, Status::Canceled, Status::Sending].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Status::Sending, Status::Canceled]);
        assert!(!StatusSet::default().contains(Status::Queued));
        assert!(Status::ALL.iter().all(|status| StatusSet::all_final().contains(*status) == status.is_final()));
    }
}

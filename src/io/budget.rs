//! One memory budget for bodies in flight: client requests, apps' responses, and the emulator's own unread responses. A
//! body is kept in pieces, and each piece but the first is charged to the budget until the body is freed.
//!
//! A body is charged as its bytes arrive; announcing a large size takes up no room. Half of the budget is reserved
//! for one body at a time, which is said to have the turn. Without this reserve, partially received bodies could wait
//! for each other until all of them time out.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The default budget in bytes: 256 MiB.
pub const BODY_BUDGET_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
/// The smallest budget that can be set, in bytes. With less, few documents would fit.
pub const BODY_BUDGET_BYTES_MIN: u64 = 1024 * 1024;
/// How long a client's body, or a response being produced, waits for room before the request fails with 503.
pub const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long an app's response waits for room. Room becomes free meanwhile, since each exchange has a time limit.
pub const FETCH_ROOM_WAIT_MAX: Duration = Duration::from_secs(60);

/// The size of a piece, which is the unit that is charged, in bytes. The first piece of each body is free: nearly all
/// bodies fit in it, and the number of connections is limited.
const PIECE_BYTES: usize = 64 * 1024;

/// The reason there is no room for a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// Other bodies hold the room, and not enough was freed in time.
    #[error("too many bytes of bodies are in flight; try again, or raise --body-budget")]
    InTime,
    /// The body is larger than the whole budget, so waiting can't help.
    #[error("the body is larger than the budget for bodies in flight; raise --body-budget")]
    Ever,
}

/// A handle to the budget; clones share the budget.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit_bytes: u64,
    /// The half that all bodies share, in pieces.
    common: Arc<Semaphore>,
    /// A single permit, whose holder has the turn.
    turn: Arc<Semaphore>,
    /// The pieces in the half that is reserved for the body with the turn.
    turn_pieces: u64,
    held_pieces: AtomicU64,
    refused: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(BODY_BUDGET_BYTES_DEFAULT)
    }
}

impl Budget {
    /// Creates a budget of this many bytes.
    #[must_use]
    pub fn new(limit_bytes: u64) -> Self {
        let pieces = pieces_of(limit_bytes);
        let turn_pieces = pieces / 2;
        let common = usize::try_from(pieces - turn_pieces).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            limit_bytes,
            common: Arc::new(Semaphore::new(common)),
            turn: Arc::new(Semaphore::new(1)),
            turn_pieces,
            held_pieces: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }))
    }

    /// Returns the maximum number of bytes that may be in flight.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.0.limit_bytes
    }

    /// Returns the bytes charged to the budget, in whole pieces. The first piece of each body isn't charged.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        // Relaxed, like all accesses to these counts, because they are only reported.
        self.0.held_pieces.load(Ordering::Relaxed) * PIECE_BYTES as u64
    }

    /// Returns how many bodies have failed for lack of room.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Starts an empty body, which waits at most `patience` each time it needs room.
    #[must_use]
    pub fn body(&self, patience: Duration) -> Pieces {
        let hold = Hold { budget: self.clone(), patience, common: None, turn: None, turn_pieces: 0 };
        Pieces { pieces: VecDeque::new(), bytes: 0, hold }
    }

    /// Charges a response of this many bytes, without waiting.
    ///
    /// # Errors
    /// Fails if there isn't enough room in the shared half at present.
    pub fn answer(&self, bytes: u64) -> Result<Hold, NoRoom> {
        let mut hold = self.body(Duration::ZERO).hold;
        // The first piece is free.
        let pieces = u32::try_from(bytes.div_ceil(PIECE_BYTES as u64).saturating_sub(1)).unwrap_or(u32::MAX);
        // A response never gets the turn, because it could keep the turn for long: its charge is held until the client
        // has read it.
        let room = Arc::clone(&self.0.common).try_acquire_many_owned(pieces);
        hold.add(room.map_err(|_| self.count_refusal())?);
        Ok(hold)
    }

    fn pieces(&self) -> u64 {
        pieces_of(self.0.limit_bytes)
    }

    fn count_refusal(&self) -> NoRoom {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        NoRoom::InTime
    }
}

fn pieces_of(bytes: u64) -> u64 {
    // The semaphore hands out at most `u32::MAX` permits in one call.
    (bytes.max(BODY_BUDGET_BYTES_MIN) / PIECE_BYTES as u64).min(u64::from(u32::MAX))
}

/// The charge for a body; dropping the charge releases the room.
#[derive(Debug)]
pub struct Hold {
    budget: Budget,
    patience: Duration,
    common: Option<OwnedSemaphorePermit>,
    turn: Option<OwnedSemaphorePermit>,
    /// How many pieces are held in the half reserved for the turn.
    turn_pieces: u64,
}

impl Hold {
    /// Charges one more piece, waiting for room if necessary.
    async fn take(&mut self) -> Result<(), NoRoom> {
        if self.take_at_once() {
            return Ok(());
        }
        // Waiting is pointless: even alone, this body would exceed the budget.
        if self.pieces() >= self.budget.pieces() {
            self.budget.count_refusal();
            return Err(NoRoom::Ever);
        }
        let shared = Arc::clone(&self.budget.0);
        let waits_for_turn = self.turn.is_none();
        let room = timeout(self.patience, async {
            tokio::select! {
                // Try the shared half first: the turn is better left to a body that has no other room.
                biased;
                piece = Arc::clone(&shared.common).acquire_owned() => (piece.ok(), None),
                turn = Arc::clone(&shared.turn).acquire_owned(), if waits_for_turn => (None, turn.ok()),
            }
        });
        let room = room.await;
        match room {
            Ok((Some(piece), _)) => self.add(piece),
            Ok((None, Some(turn))) => {
                self.turn = Some(turn);
                if !self.take_at_once() {
                    return Err(self.budget.count_refusal());
                }
            }
            Ok((None, None)) | Err(_) => return Err(self.budget.count_refusal()),
        }
        Ok(())
    }

    fn take_at_once(&mut self) -> bool {
        let shared = Arc::clone(&self.budget.0);
        if let Ok(piece) = Arc::clone(&shared.common).try_acquire_owned() {
            self.add(piece);
            return true;
        }
        if self.turn.is_none() {
            self.turn = Arc::clone(&shared.turn).try_acquire_owned().ok();
        }
        if self.turn.is_none() || self.turn_pieces >= shared.turn_pieces {
            return false;
        }
        self.turn_pieces += 1;
        // Relaxed, because the semaphores enforce the limit, not this count.
        shared.held_pieces.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn pieces(&self) -> u64 {
        self.common.as_ref().map_or(0, |common| common.num_permits() as u64) + self.turn_pieces
    }

    fn add(&mut self, piece: OwnedSemaphorePermit) {
        self.budget.0.held_pieces.fetch_add(piece.num_permits() as u64, Ordering::Relaxed);
        match &mut self.common {
            Some(common) => common.merge(piece),
            None => self.common = Some(piece),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The permits are released when the fields are dropped, after this.
        self.budget.0.held_pieces.fetch_sub(self.pieces(), Ordering::Relaxed);
    }
}

/// A body that is being received or produced, kept in pieces.
#[derive(Debug)]
pub struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    hold: Hold,
}

impl Pieces {
    /// Returns the length of the body so far, in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// Returns whether nothing has been added yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Appends bytes, charging each new piece to the budget.
    ///
    /// # Errors
    /// Fails if no room becomes free in time, or if the body is larger than the whole budget.
    pub async fn add(&mut self, mut data: &[u8]) -> Result<(), NoRoom> {
        while !data.is_empty() {
            if self.is_full() {
                // The first piece is free.
                if !self.pieces.is_empty() {
                    self.hold.take().await?;
                }
                self.pieces.push_back(Vec::new());
            }
            data = self.fill(data);
        }
        Ok(())
    }

    /// Returns the whole body in one piece, no longer charged. Intended for small bodies that are parsed right away,
    /// such as JSON and forms.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.into_whole().0
    }

    /// Returns the whole body in one piece, with its charge.
    #[must_use]
    pub fn into_whole(mut self) -> (Bytes, Hold) {
        if self.pieces.len() <= 1 {
            return (self.pieces.pop_front().unwrap_or_default().into(), self.hold);
        }
        let mut whole = Vec::with_capacity(self.bytes);
        while let Some(piece) = self.pieces.pop_front() {
            whole.extend_from_slice(&piece);
        }
        (whole.into(), self.hold)
    }

    /// Returns the whole body as a document, with the charge, which the caller holds until the document is stored or
    /// dropped.
    #[must_use]
    pub fn into_document(mut self) -> (Arc<[u8]>, Hold) {
        // Filled in place: collecting the pieces in a vector first would take twice the memory.
        let mut document: Arc<[u8]> = std::iter::repeat_n(0, self.bytes).collect();
        if let Some(mut rest) = Arc::get_mut(&mut document) {
            while let Some(piece) = self.pieces.pop_front() {
                let (begin, end) = std::mem::take(&mut rest).split_at_mut(piece.len());
                begin.copy_from_slice(&piece);
                rest = end;
            }
        }
        (document, self.hold)
    }

    /// Returns the body as chunks of a response. The charge is released after the last has been sent.
    pub fn into_chunks(self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let hold = Arc::new(self.hold);
        self.pieces.into_iter().map(move |piece| Held::tie(piece, &hold))
    }

    /// Returns a blocking writer into the body, for use on a thread outside the runtime.
    pub fn writer<'a>(&'a mut self, runtime: &'a Handle) -> impl Write + 'a {
        PiecesWriter { pieces: self, runtime }
    }

    fn is_full(&self) -> bool {
        self.pieces.back().is_none_or(|last| last.len() >= PIECE_BYTES)
    }

    /// Fills the last piece and returns the bytes that didn't fit.
    fn fill<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let is_first = self.pieces.len() == 1;
        // All callers have made sure that there is a piece.
        let Some(last) = self.pieces.back_mut() else { return data };
        // The subtraction can't underflow, because the caller starts a new piece when this one is full.
        let (now, later) = data.split_at(data.len().min(PIECE_BYTES - last.len()));
        // A second piece suggests a long body, so reserve whole pieces from then on. Small bodies grow as needed.
        if !is_first && last.is_empty() {
            last.reserve_exact(PIECE_BYTES);
        }
        last.extend_from_slice(now);
        self.bytes += now.len();
        later
    }
}

/// Bytes with a share in a charge, which is released when all bytes that share it have been dropped.
struct Held<T> {
    bytes: T,
    _hold: Arc<Hold>,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

impl Held<Bytes> {
    fn tie<T: AsRef<[u8]> + Send + 'static>(bytes: T, hold: &Arc<Hold>) -> Bytes {
        Bytes::from_owner(Held { bytes, _hold: Arc::clone(hold) })
    }
}

/// Returns bytes that keep `hold` alive until they have been sent.
#[must_use]
pub fn tied(bytes: Bytes, hold: &Arc<Hold>) -> Bytes {
    Held::tie(bytes, hold)
}

struct PiecesWriter<'a> {
    pieces: &'a mut Pieces,
    runtime: &'a Handle,
}

impl Write for PiecesWriter<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Most writes fit in the last piece and need not wait, so they don't need the runtime.
        let has_room = self.pieces.pieces.back().is_some_and(|last| last.len() + data.len() <= PIECE_BYTES);
        if has_room {
            self.pieces.fill(data);
        } else {
            self.runtime.block_on(self.pieces.add(data)).map_err(io::Error::other)?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);
    static PIECE: [u8; PIECE_BYTES] = [7; PIECE_BYTES];

    /// Returns a budget of sixteen pieces: eight that all bodies share, and eight for the body that has the turn.
    fn budget() -> Budget {
        Budget::new(BODY_BUDGET_BYTES_MIN)
    }

    async fn of_pieces(budget: &Budget, count: usize) -> Pieces {
        let mut body = budget.body(Duration::ZERO);
        for _ in 0..count {
            body.add(&PIECE).await.expect("there is room");
        }
        body
    }

    #[tokio::test]
    async fn bodies_in_flight_never_exceed_the_budget_plus_one_piece_each() {
        let budget = budget();
        let first = of_pieces(&budget, 9).await;
        let second = of_pieces(&budget, 9).await;
        assert_eq!(budget.held_bytes(), budget.limit_bytes());
        let mut third = of_pieces(&budget, 1).await;
        assert_eq!(third.add(b"x").await, Err(NoRoom::InTime));
        assert_eq!(budget.refused(), 1);
        drop((first, second));
        assert_eq!(budget.held_bytes(), 0);
        third.add(b"x").await.expect("there is room again");
    }

    #[tokio::test]
    async fn a_body_larger_than_the_budget_fails_immediately() {
        let budget = budget();
        let mut body = budget.body(LONG);
        let whole = vec![7; 18 * PIECE_BYTES];
        assert_eq!(body.add(&whole).await, Err(NoRoom::Ever));
    }

    #[tokio::test]
    async fn half_received_bodies_take_turns_and_all_complete() {
        let budget = budget();
        let (mut first, mut second) = (budget.body(LONG), budget.body(LONG));
        for body in [&mut first, &mut second] {
            for _ in 0..5 {
                body.add(&PIECE).await.expect("there is room");
            }
        }
        for _ in 0..8 {
            first.add(&PIECE).await.expect("it has the turn");
        }
        let whole = vec![7; 8 * PIECE_BYTES];
        let mut waiting = pin!(second.add(&whole));
        assert!(waiting.as_mut().now_or_never().is_none(), "the other has the turn");
        drop(first);
        waiting.await.expect("its turn has come");
    }

    #[tokio::test]
    async fn a_body_is_returned_unchanged_in_every_form() {
        let text: Vec<u8> = (0..=255).cycle().take(3 * PIECE_BYTES + 17).collect();
        let budget = budget();
        for step in [1_000, PIECE_BYTES, PIECE_BYTES + 1, text.len()] {
            let body = || async {
                let mut body = budget.body(Duration::ZERO);
                for part in text.chunks(step) {
                    body.add(part).await.expect("there is room");
                }
                body
            };
            let (document, hold) = body().await.into_document();
            assert_eq!(document[..], text);
            drop(hold);
            assert_eq!(body().await.into_bytes(), text);
            assert_eq!(body().await.into_chunks().collect::<Vec<_>>().concat(), text);
        }
        assert_eq!(budget.held_bytes(), 0);
    }

    #[tokio::test]
    async fn a_response_is_charged_until_it_has_been_sent() {
        let budget = budget();
        let hold = Arc::new(budget.answer(4 * PIECE_BYTES as u64).expect("there is room"));
        let sent = tied(Bytes::from_static(b"x"), &hold);
        drop(hold);
        assert_eq!(budget.held_bytes(), 3 * PIECE_BYTES as u64);
        assert!(budget.answer(budget.limit_bytes()).is_err(), "less than the whole budget is left");
        drop(sent);
        assert_eq!(budget.held_bytes(), 0);
    }
}

//! What the model remembers: the documents of the store, the queue, and how far each worker has come.
//!
//! A version is kept as what it is for: a worker's sight of a document is `fresh` until somebody else writes the document.
//! Numbers that only grow would tell the same, and would make every state a new one.
#![cfg(test)]

use widgetco::domain::order::Status;

/// Orders, products and workers of the model, and lines of an order.
pub(crate) const TWO: usize = 2;

/// Everything, between two requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct State {
    /// The order documents.
    pub(crate) orders: [Document<Order>; TWO],
    /// The events that they announced.
    pub(crate) events: [Events; TWO],
    /// The counts of each product.
    pub(crate) counts: [Document<Counts>; TWO],
    /// The reservations, by order and product.
    pub(crate) reservations: [[Document<Reservation>; TWO]; TWO],
    /// Who is at work and who waits for a message. They are alike, so they are kept sorted.
    pub(crate) workers: [Option<Worker>; TWO],
    /// How many old reads and lost answers may still come.
    pub(crate) faults: u8,
    /// Whether a terminal order ever got another status.
    pub(crate) reopened: bool,
    /// Whether a reservation ever went backwards.
    pub(crate) reversed: bool,
}

impl State {
    /// Forgets previous versions, when nobody can read them any more.
    pub(crate) fn forget(&mut self) {
        self.orders.iter_mut().for_each(|document| document.before = None);
        self.counts.iter_mut().for_each(|document| document.before = None);
        self.reservations.as_flattened_mut().iter_mut().for_each(|document| document.before = None);
    }
}

/// A document as it is, and as it was one write ago, for reads that lag behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Document<T> {
    /// The truth.
    pub(crate) now: T,
    /// What an old read answers; forgotten when no fault is left to use it.
    pub(crate) before: Option<T>,
}

impl<T: Copy> Document<T> {
    /// A document that was never changed.
    pub(crate) fn new(now: T) -> Self {
        Self { now, before: None }
    }

    /// Changes it.
    pub(crate) fn write(&mut self, next: T) {
        *self = Self { now: next, before: Some(self.now) };
    }

    /// What a read answers, and whether a write may build on it.
    pub(crate) fn read(&self, answer: Answer) -> (T, bool) {
        match (answer, self.before) {
            (Answer::Old, Some(before)) => (before, false),
            (Answer::Old | Answer::Plain | Answer::Lost, _) => (self.now, true),
        }
    }
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As it should.
    Plain,
    /// A read is answered with the previous version.
    Old,
    /// A write takes effect, its answer is lost, and the client's own retry finds it there.
    Lost,
}

/// As much of an order as decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Order {
    /// How far it has come.
    pub(crate) stage: Stage,
    /// Nothing is left to do.
    pub(crate) settled: bool,
}

/// Which events an order's partition has; an event is created once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Events {
    /// `orderConfirmed`.
    pub(crate) confirmed: bool,
    /// `orderFailed`.
    pub(crate) failed: bool,
    /// `orderShipped`.
    pub(crate) shipped: bool,
    /// `orderCancelled`.
    pub(crate) cancelled: bool,
}

/// The crate's `Status`, with an order and a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    #[default]
    Pending,
    Confirmed,
    Failed,
    Shipped,
    Cancelled,
}

impl Stage {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Pending, Self::Confirmed, Self::Failed, Self::Shipped, Self::Cancelled];

    /// Whether it is one of those that never change.
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Self::Failed | Self::Shipped | Self::Cancelled)
    }
}

impl From<Status> for Stage {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::Failed => Self::Failed,
            Status::Shipped => Self::Shipped,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// The counts of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Counts {
    /// Pieces in the warehouse.
    pub(crate) on_hand: u32,
    /// Pieces of them that are held.
    pub(crate) held: u32,
    /// Pieces that ever left for an order.
    pub(crate) taken: u64,
}

/// What an order has of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reservation {
    #[default]
    Absent,
    Held,
    Taken,
    Released,
}

/// A worker with a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Worker {
    /// The order that the message is about.
    pub(crate) order: usize,
    /// The order as the worker read or wrote it.
    pub(crate) sight: Order,
    /// Whether the order still has the version that was read.
    pub(crate) fresh: bool,
    /// What it knows of the reservations, by product; the crate's `Reservations`.
    pub(crate) known: [Known; TWO],
    /// What it does next.
    pub(crate) next: Next,
}

/// The crate's `Seen`, or that nobody looked. How many pieces were available is left out: no decision asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Known {
    #[default]
    Unknown,
    Absent,
    Held,
    Taken,
    Released,
    Refused,
}

impl Known {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Unknown, Self::Absent, Self::Held, Self::Taken, Self::Released, Self::Refused];
}

impl From<Reservation> for Known {
    fn from(reservation: Reservation) -> Self {
        match reservation {
            Reservation::Absent => Self::Absent,
            Reservation::Held => Self::Held,
            Reservation::Taken => Self::Taken,
            Reservation::Released => Self::Released,
        }
    }
}

/// Where a worker stands between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Next {
    /// Amid a step over lines, all at once; a line that is through rests.
    Lines([Option<Line>; TWO]),
    /// About to write the order.
    Write(Change),
}

/// How the order is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    Confirm,
    Fail,
    Ship,
    Cancel,
    Settle,
}

/// The next request for one line. A request that is bound to be refused, because what it builds on is outdated, is left
/// out where the refusal has only one answer: the line then is where the refusal would have sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Line {
    /// Hold: read the counts.
    HoldRead,
    /// Hold: create the reservation and replace the counts.
    HoldWrite(Sight),
    /// Hold: there is too little; look whether the order itself has it.
    HoldShort,
    /// Hold: the reservation exists; look at it.
    HoldExists,
    /// Take or release: read the reservation.
    EndFind(End),
    /// Take or release: read the counts, knowing a held reservation.
    EndRead(End),
    /// Take or release: replace reservation and counts.
    EndWrite(End, Sight),
    /// Release: there is none; create the tombstone.
    EndForbid,
}

/// How a reservation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    Take,
    Release,
}

/// Counts that were read, as they would be written next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sight {
    /// What the batch would write.
    pub(crate) next: Counts,
    /// Whether the counts still have the version that was read.
    pub(crate) fresh: bool,
}

/// Something that happens: one request, or one act of the world around. A worker whose clock has passed `UNDECIDED_MAX`
/// when it decides is `late`; clocks need not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A worker is handed a message, new, late or for the second time, and reads its order.
    Deliver { order: usize, answer: Answer, late: bool },
    /// A worker is handed a bell that is out of date, and begins from the order that it brings without reading.
    Try { order: usize, sight: Order },
    /// A worker's next request; `line` says which, while it is amid a step over lines.
    Request { worker: usize, line: usize, answer: Answer, late: bool },
    /// A worker is killed.
    Crash { worker: usize },
    /// The customer calls the order off.
    Cancel { order: usize },
    /// The courier ships it.
    Ship { order: usize },
    /// The queue gives up on the order, or recovery finds it too old: it is failed if it is pending.
    GiveUp { order: usize },
    /// The queue gives up on an order that is decided: it is only noted, at a new version.
    Note { order: usize },
    /// A mutant's recovery: it puts an overdue order's pieces back on sale.
    SweepReleases { order: usize, product: usize },
}

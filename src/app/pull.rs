//! A partner's pull: the customers who changed since its cursor, page by page, each page on record before it leaves.
//!
//! Holds one page at a time. Does not know in which form it is sent.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::domain::id::{DisclosureId, PartnerId};
use crate::domain::partner::disclosure::{Count, Disclosure, Form};
use crate::domain::partner::{Change, Partner};
use crate::store::Error;
use crate::store::customers::Record;
use crate::store::customers::changes::Changes;

/// Most pages of the store that are read for one page of a pull, when hardly anybody has agreed to the partner.
const READS_MAX: u32 = 40;
/// A page of the store is this part of a page of a pull, so that a page that cannot be made full is nearly so.
const READS_PER_PAGE: u32 = 4;

/// What came of a wish to pull.
#[derive(Debug)]
pub enum Opened {
    /// It may begin.
    Pull(Box<Pull>),
    /// There is no contract, or it has ended.
    NoContract,
    /// The cursor is none that this partner was given.
    UnknownCursor,
}

/// A pull that has begun.
#[derive(Debug)]
pub struct Pull {
    app: App,
    partner: Partner,
    changes: Changes,
    form: Form,
    after: Option<DisclosureId>,
    began_at: DateTime<Utc>,
    page_max: usize,
    read_max: usize,
    /// The record of its first page.
    first: Option<Disclosure>,
    sequence: u32,
    count: Count,
}

/// What leaves next.
pub struct Portion {
    /// The changes.
    pub changes: Vec<Change>,
    /// The cursor of what comes after them.
    pub cursor: DisclosureId,
    /// Whether there is nothing after them for now.
    pub is_end: bool,
}

impl App {
    /// Begins a pull with at most so many customers a page: from the cursor on, or with everybody, as also from a cursor that was
    /// given under another version of the contract. One request, one or two more with a cursor.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known; nothing has left.
    pub async fn open_pull(
        &self,
        partner_id: &PartnerId,
        cursor: Option<&DisclosureId>,
        form: Form,
        page_max: NonZeroU32,
    ) -> Result<Opened, Error> {
        let now = self.clock.now();
        let partner = match self.store.partners.newest(partner_id).await? {
            Some(partner) if partner.value.is_entitled(now) => partner.value,
            Some(_) | None => return Ok(Opened::NoContract),
        };
        let earlier = match cursor {
            None => None,
            Some(cursor) => match self.store.disclosures.find(partner_id, cursor).await? {
                None => return Ok(Opened::UnknownCursor),
                Some(earlier) => Some(earlier),
            },
        };
        // Another contract means everybody anew, and who has left since the chain began.
        let same = earlier.as_ref().filter(|earlier| earlier.contract_version == partner.version);
        let read_max = page_max.get().div_ceil(READS_PER_PAGE);
        let read_max = NonZeroU32::new(read_max).unwrap_or(NonZeroU32::MIN);
        let position = same.map(|earlier| earlier.position.as_str());
        let changes = self.store.customers.changes(position, read_max).await?;
        let size = |count: NonZeroU32| usize::try_from(count.get()).unwrap_or(usize::MAX);
        Ok(Opened::Pull(Box::new(Pull {
            app: self.clone(),
            partner,
            changes,
            form,
            after: cursor.cloned(),
            began_at: earlier.map_or(now, |earlier| earlier.began_at),
            page_max: size(page_max),
            read_max: size(read_max),
            first: None,
            sequence: 0,
            count: Count::default(),
        })))
    }
}

impl Pull {
    /// The partner, under the contract that the pull follows.
    pub fn partner(&self) -> &Partner {
        &self.partner
    }

    /// The next page, which is on record when this returns; `None` when the contract does not hold any more.
    ///
    /// # Errors
    /// [`Error`] when it cannot be read or recorded; it must not leave, and the pull is over.
    pub async fn next(&mut self) -> Result<Option<Portion>, Error> {
        let mut changes: Vec<Change> = Vec::new();
        let mut is_end = false;
        for _ in 0..READS_MAX {
            if changes.len() + self.read_max > self.page_max {
                break;
            }
            let Some(records) = self.changes.next().await? else {
                is_end = true;
                break;
            };
            for change in records.iter().filter_map(|record| self.change(record)) {
                // Only the last that is known of a customer leaves.
                changes.retain(|earlier| earlier.id() != change.id());
                changes.push(change);
            }
        }
        // Looked at when everything was read, just before it is on record and leaves.
        if !still_holds(&self.app, &self.partner).await? {
            return Ok(None);
        }
        let cursor = self.record(&changes).await?;
        Ok(Some(Portion { changes, cursor, is_end }))
    }

    /// Puts on record how many left, once nothing more will. One request.
    ///
    /// # Errors
    /// [`Error`]; the pull must not look as if it were whole.
    pub async fn close(mut self) -> Result<(), Error> {
        let Some(mut first) = self.first.take() else { return Ok(()) };
        first.count = Some(self.count);
        self.app.store.disclosures.write(&first).await
    }

    fn change(&self, record: &Record) -> Option<Change> {
        match record {
            Record::Customer(customer) => self.partner.change(customer, self.began_at),
            Record::Erased(tombstone) => self.partner.change_of_erased(tombstone, self.began_at),
            Record::Vacant => None,
        }
    }

    /// Writes the record of a page. One request.
    async fn record(&mut self, changes: &[Change]) -> Result<DisclosureId, Error> {
        let customer_ids: Vec<_> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Shared(shared) => Some(shared.customer_id.clone()),
                Change::Removed(_) => None,
            })
            .collect();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.count.customers += count(customer_ids.len());
        self.count.removed += count(changes.len() - customer_ids.len());
        let id = DisclosureId::from_chance(self.app.ids.bytes16());
        let disclosure = Disclosure {
            id: id.clone(),
            partner_id: self.partner.id.clone(),
            pull_id: self.first.as_ref().map_or(&id, |first| &first.id).clone(),
            sequence: self.sequence,
            at: self.app.clock.now(),
            form: self.form,
            contract_version: self.partner.version,
            purpose: self.partner.terms.purpose.clone(),
            fields: self.partner.terms.fields.iter().map(|field| field.pointer().to_owned()).collect(),
            after: self.after.clone(),
            began_at: self.began_at,
            customer_ids,
            position: self.changes.position().to_owned(),
            // A page is whole when it leaves; of what is sent piece by piece that is known at the end.
            count: (self.form == Form::Json).then_some(self.count),
        };
        self.app.store.disclosures.write(&disclosure).await?;
        self.sequence += 1;
        self.first.get_or_insert(disclosure);
        Ok(id)
    }
}

/// Whether the contract is the one that there is now, and has not ended.
async fn still_holds(app: &App, partner: &Partner) -> Result<bool, Error> {
    let now = app.clock.now();
    let newest = app.store.partners.newest(&partner.id).await?;
    Ok(newest.is_some_and(|newest| newest.value.version == partner.version && newest.value.is_entitled(now)))
}

//! The handler's side of the Azure Functions custom-handler contract: what the host sends, what it expects back, and
//! the HTTP answers and errors that every function uses. Nothing here knows what is sold or who buys it.
//!
//! In reading order: [`mod@serve`] opens the port and wraps the routes, [`invocation`] reads an envelope and writes the
//! reply, [`answer`] and [`problem`] are what an HTTP caller sees, [`failure`] is what the host sees when a message
//! could not be handled; [`event`] is what is announced and heard. [`body`], [`query`], [`accept`] and [`conditional`] parse a request at the edge; [`trace`]
//! reads its names, [`context`] knows them while it is served, and [`mod@encoding`] packs what is sent.
//! [`mod@document`] describes all of that to callers, from an [`operation`] of each function, and
//! lists every [`kind`] of problem.

pub mod accept;
pub mod answer;
pub mod body;
pub mod call;
pub mod conditional;
pub mod context;
pub mod document;
pub mod encoding;
pub mod event;
pub mod failure;
pub mod invocation;
pub mod kind;
mod leftover;
pub mod operation;
pub mod problem;
pub mod query;
pub mod range;
pub mod reply;
mod schemas;
pub mod serve;
pub mod trace;

pub use accept::preferred;
pub use answer::Answer;
pub use body::{BODY_BYTES_MAX, parse, parse_optional, parse_value};
pub use call::{AnyCall, HTTP_OUTPUT};
pub use conditional::{IfMatch, IfNoneMatch, Match, if_match, if_none_match, require_if_match};
pub use document::{Described, Front, document, methods_at};
pub use encoding::takes_gzip;
pub use event::CloudEvent;
pub use failure::Failure;
pub use invocation::{
    BATCH_BYTES_MAX, Batch, ENVELOPE_BYTES_MAX, EnvelopeError, HttpInput, Invocation, Timer,
};
pub use kind::Kind;
pub use operation::{Access, FileBody, Header, Operation};
pub use problem::{FIELD_ERRORS_MAX, FieldError, Location, Problem};
pub use query::{NoQuery, parse_query};
pub use range::{Wanted, range};
pub use reply::{QUEUE_TEXT_BYTES_MAX, Reply};
pub use serve::{INVOCATION_TIME_MAX, bind, serve, shell};
pub use trace::FreshTraceId;

//! The back end of a shop in one binary: an Azure Functions custom handler that never oversells and never loses an order.
//!
//! In reading order: [`domain`] is what a shop is, and decides; [`store`] remembers, in Cosmos DB; [`functions`] are the
//! doors, one file each; [`host`] is the contract with the Functions host; [`local`] stands in for that host on a
//! laptop; [`cli`] is the command line. `ARCHITECTURE.md` tells how an order walks through them.

pub mod app;
pub mod auth;
pub mod blob;
pub mod cli;
pub mod client;
pub mod config;
pub mod credential;
pub mod domain;
pub mod events;
pub mod files;
pub mod functions;
pub mod host;
pub mod json;
#[cfg(feature = "emulator")]
pub mod local;
pub mod mail;
pub mod measure;
#[cfg(feature = "museum")]
pub mod museum;
pub mod outbound;
pub mod picture;
pub mod sources;
pub mod store;
pub mod telemetry;

//! What a shop is: ids, money, stock, orders and the workflow between them.
//!
//! Pure: no I/O, no clock, no chance, no logging. Time and ids come in as arguments, decisions go out as values.

pub mod announcement;
pub mod audit;
pub mod catalogue;
pub mod collection;
pub mod creation;
pub mod customer;
pub mod draft;
pub mod event;
pub mod fulfil;
pub mod id;
pub mod image;
pub mod import;
pub mod insights;
pub mod listing;
pub mod message;
pub mod money;
pub mod month;
pub mod notification;
pub mod number;
pub mod order;
pub mod partner;
pub mod product;
pub mod review;
pub mod shipping;
pub mod spreadsheet;
pub mod stock;
pub mod time;
pub mod webhook;

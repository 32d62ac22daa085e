//! `token`: a bearer token for those who develop.

use chrono::TimeDelta;
use clap::{Args, ValueEnum};

use crate::auth::development::{Bearer, token as signed};
use crate::domain::id::{CustomerId, PartnerId};
use crate::sources::Clock;

use super::{Failure, say};

/// Whom the token names: exactly one.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Asked {
    /// The customer with this id, such as c1
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Somebody who works in the shop, or who carries its parcels
    #[arg(long)]
    role: Option<Role>,
    /// A program of this partner, such as willy
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Staff,
    Courier,
}

/// Prints it.
pub(super) fn token(asked: Asked, valid_minutes: i32) -> Result<(), Failure> {
    let bearer = match asked {
        Asked { customer: Some(id), .. } => Bearer::Customer(CustomerId::parse(&id)?),
        Asked { partner: Some(id), .. } => Bearer::Partner(PartnerId::parse(&id)?),
        Asked { role: Some(Role::Staff), .. } => Bearer::Staff,
        Asked { role: Some(Role::Courier), .. } => Bearer::Courier,
        Asked { customer: None, role: None, partner: None } => return Err("the token names nobody".into()),
    };
    say(&signed(&bearer, Clock::system().now(), TimeDelta::minutes(valid_minutes.into()))?);
    Ok(())
}

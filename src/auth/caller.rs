//! The rules: who may call a function. Each handler takes its rule as its first argument, so that its signature states it, and
//! the API's document and the test of all rules read it from there.
//!
//! Does not know what a function does with a customer's id; a handler answers 404 for what is somebody else's.

use std::future::Future;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use crate::auth::limit::{Allowance, WINDOW};
use crate::auth::{Auth, Principal, Refusal};
use crate::domain::id::{CustomerId, PartnerId};
use crate::host::{Access, AnyCall, HttpInput, Problem, context};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A rule.
pub trait Caller: Sized {
    /// What the API's document says of it.
    const ACCESS: Access;

    /// The caller, if they may call.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn identify(auth: &Auth, headers: &HeaderMap) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

/// Everybody, whoever it is: no token is looked at, so that the answer is the same for all and can be kept for all.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

impl Caller for Anyone {
    const ACCESS: Access = Access { who: "anybody", needs_token: false };

    async fn identify(_: &Auth, _: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

/// Those who work in the shop.
#[derive(Debug, Clone, Copy)]
pub struct Staff;

/// Those who work in the shop or carry its parcels.
#[derive(Debug, Clone, Copy)]
pub struct Courier;

/// A customer, who may do what nobody can do for them.
#[derive(Debug, Clone)]
pub struct Customer(pub CustomerId);

/// A customer in their own affairs, or staff in everybody's.
#[derive(Debug, Clone)]
pub struct Owner(pub Scope);

/// A customer in their own affairs, or staff and couriers in everybody's.
#[derive(Debug, Clone)]
pub struct OwnerOrCourier(pub Scope);

/// A partner.
#[derive(Debug, Clone)]
pub struct Partner(pub PartnerId);

/// Whose affairs somebody may look after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Everybody,
    /// Their own.
    Only(CustomerId),
}

impl Scope {
    /// Whether what is this customer's is among them.
    pub fn covers(&self, customer_id: &CustomerId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(own) => own == customer_id,
        }
    }
}

impl Customer {
    /// Whether the caller is this customer.
    pub fn is(&self, customer_id: &CustomerId) -> bool {
        self.0 == *customer_id
    }
}

impl Partner {
    /// Whether the caller is this partner.
    pub fn is(&self, partner_id: &PartnerId) -> bool {
        self.0 == *partner_id
    }
}

/// Gives a type the rule that a token is needed, of somebody whom the expression makes this type of.
macro_rules! signed_in {
    ($type:ty, $who:literal, $admit:expr) => {
        impl Caller for $type {
            const ACCESS: Access = Access { who: $who, needs_token: true };

            async fn identify(auth: &Auth, headers: &HeaderMap) -> Result<Self, Refusal> {
                let admit: fn(Principal) -> Option<Self> = $admit;
                admit(counted(auth, headers).await?).ok_or(Refusal::Forbidden)
            }
        }
    };
}

signed_in!(Staff, "staff", |principal| principal.is_staff.then_some(Self));
signed_in!(Courier, "staff and couriers", |principal| {
    (principal.is_staff || principal.is_courier).then_some(Self)
});
signed_in!(Customer, "the customer", |principal| principal.customer_id.map(Self));
signed_in!(Owner, "the customer, and staff", |principal| scope(principal.is_staff, principal).map(Self));
signed_in!(OwnerOrCourier, "the customer, staff and couriers", |principal| {
    scope(principal.is_staff || principal.is_courier, principal).map(Self)
});
signed_in!(Partner, "the partner", |principal| principal.partner_id.map(Self));

fn scope(is_trusted: bool, principal: Principal) -> Option<Scope> {
    match is_trusted {
        true => Some(Scope::Everybody),
        false => principal.customer_id.map(Scope::Only),
    }
}

/// The principal behind the request, which counts against their limit; the answer tells them what is left of it.
async fn counted(auth: &Auth, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let (principal, allowance) = auth.principal(headers).await?;
    tell(&allowance);
    match allowance.left {
        Ok(_) => Ok(principal),
        Err(retry_after) => Err(Refusal::Throttled { retry_after }),
    }
}

/// Says in the answer's headers what is left, in the form of draft-ietf-httpapi-ratelimit-headers-10.
fn tell(Allowance { requests_max, left, full_in_s }: &Allowance) {
    let left = left.unwrap_or(0);
    let policy = format!("\"caller\";q={requests_max};w={}", WINDOW.num_seconds());
    let limit = format!("\"caller\";r={left};t={full_in_s}");
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            context::add(name, value);
        }
    }
}

/// The caller of a function that gets requests as they are; refuses all others before anything else is looked at.
#[derive(Debug)]
pub struct By<C>(pub C);

impl<S: AsRef<Auth> + Sync, C: Caller> FromRequestParts<S> for By<C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(C::identify(state.as_ref(), &parts.headers).await?))
    }
}

/// A call that came in an envelope with its caller, or why it is refused: as [`By`], and as
/// [`AnyCall::without_query`](crate::host::AnyCall::without_query).
#[derive(Debug)]
pub struct CallBy<C>(pub Result<(C, HttpInput), Problem>);

impl<S: AsRef<Auth> + Send + Sync, C: Caller> FromRequest<S> for CallBy<C> {
    type Rejection = Response;

    /// # Errors
    ///
    /// When it is not an invocation by the host at all.
    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let call = AnyCall::from_request(request, state).await?;
        let headers = match &call.0 {
            Ok(input) => &input.headers,
            Err(problem) => return Ok(Self(Err(problem.clone()))),
        };
        Ok(Self(match C::identify(state.as_ref(), headers).await {
            Ok(caller) => call.without_query().map(|input| (caller, input)),
            Err(refusal) => Err(refusal.into()),
        }))
    }
}

/// A handler whose signature states who may call it. `T` only tells the forms of signatures apart.
pub trait Guarded<T> {
    /// Who may.
    const ACCESS: Access;
}

/// Who may call this handler, by its signature.
pub fn access<T, F: Guarded<T>>(_: F) -> Access {
    F::ACCESS
}

/// The handler gets its envelope opened.
#[derive(Debug)]
pub struct Enveloped<T>(T);

impl<F, R, S, C: Caller> Guarded<Enveloped<(S, C)>> for F
where
    F: Fn(State<S>, CallBy<C>) -> R,
{
    const ACCESS: Access = C::ACCESS;
}

macro_rules! guarded {
    ($($argument:ident)*) => {
        impl<F, R, C: Caller, $($argument),*> Guarded<(C, $($argument,)*)> for F
        where
            F: Fn(By<C>, $($argument),*) -> R,
        {
            const ACCESS: Access = C::ACCESS;
        }
    };
}

guarded!();
guarded!(A1);
guarded!(A1 A2);
guarded!(A1 A2 A3);
guarded!(A1 A2 A3 A4);
guarded!(A1 A2 A3 A4 A5);
guarded!(A1 A2 A3 A4 A5 A6);

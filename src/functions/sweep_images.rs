//! Every night: removes blobs that no product refers to, which a request leaves behind that was cut off.

use axum::extract::State;

use crate::app::App;
use crate::app::sweep::PAGES_MAX;
use crate::blob::PAGE_NAMES_MAX;
use crate::host::{Failure, Invocation, Reply};

/// Looks at the next part of the blobs; the rest has its turn in the next nights.
///
/// # Errors
/// A [`Failure`] when something cannot be read or removed; the next run goes on from there.
pub async fn sweep_images(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    invocation.timer("timer")?;
    let swept = app.sweep_images(PAGES_MAX, PAGE_NAMES_MAX).await?;
    if swept.removed > 0 || !swept.is_finished {
        let (seen, removed, is_finished) = (swept.seen, swept.removed, swept.is_finished);
        tracing::info!(seen, removed, is_finished, "pictures that nobody refers to are removed");
    }
    Ok(Reply::new())
}

//! `audit`: the books of every product, now.

use crate::app::App;
use crate::config::Config;

use super::{Failure, say};

/// Prints what disagrees and which orders wait; fails when there is any.
pub(super) async fn audit(config: &Config) -> Result<(), Failure> {
    let app = App::connect(config);
    let (mut products, mut findings) = (0, 0);
    let mut report = app.audit(None).await?;
    loop {
        for (orders, what) in [(&report.late, "waits too long"), (&report.left, "is left for a person")] {
            orders
                .iter()
                .for_each(|order| say(&format!("order {} ({}) {what}", order.id, order.status.as_str())));
            findings += orders.len();
        }
        for found in &report.differences {
            say(&format!(
                "{}: {} on hand, {} explained; {} held, {} explained",
                found.product_id, found.on_hand, found.on_hand_explained, found.held, found.held_explained
            ));
        }
        report
            .busy
            .iter()
            .for_each(|product_id| say(&format!("{product_id}: changed all the while, look again")));
        findings += report.differences.len();
        products += report.products;
        let Some(after) = report.next_after else { break };
        // Without the orders: they are the same in every part.
        report = app.audit_products(Some(&after)).await?;
    }
    say(&format!("{products} products, {findings} findings"));
    if findings == 0 { Ok(()) } else { Err("the books do not agree".into()) }
}

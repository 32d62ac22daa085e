//! What mails say: the templates in `templates/`, and what is put into them. Values are escaped in HTML, and none has a
//! second line, so that they cannot pass for a part of the mail.
//!
//! Does not know who gets a letter, beyond how to address them, nor how it travels.

use askama::Template;

use crate::domain::announcement::StockNews;
use crate::domain::notification::OrderNotice;
use crate::domain::order::{Failure, Order};

/// What a mail says, in both forms. Not printed, for it names a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter { .. }")
    }
}

/// A template failed, which no value makes it do. A retry does not help.
#[derive(Debug, thiserror::Error)]
#[error("cannot write a letter")]
pub struct Unwritable(#[from] askama::Error);

/// What there is to say of an order.
struct OrderView {
    notice: OrderNotice,
    name: String,
    id: String,
    lines: Vec<LineView>,
    total: String,
    /// What lacked, if that is why it failed.
    shortages: Vec<ShortageView>,
    carrier: Option<String>,
    tracking_number: Option<String>,
}

struct LineView {
    name: String,
    quantity: u32,
    unit_price: String,
}

struct ShortageView {
    name: String,
    requested: u32,
    available: u32,
}

#[derive(Template)]
#[template(path = "order.txt")]
struct OrderText<'a> {
    it: &'a OrderView,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderHtml<'a> {
    it: &'a OrderView,
}

struct StockView {
    id: String,
    name: String,
    available: u32,
    low_water: u32,
}

#[derive(Template)]
#[template(path = "stock_low.txt")]
struct StockText<'a> {
    it: &'a StockView,
}

#[derive(Template)]
#[template(path = "stock_low.html")]
struct StockHtml<'a> {
    it: &'a StockView,
}

impl Letter {
    /// To the customer of this name, about their order.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn about_order(notice: OrderNotice, order: &Order, name: &str) -> Result<Self, Unwritable> {
        let it = OrderView::of(notice, order, name);
        let what = match notice {
            OrderNotice::Confirmed => "is confirmed",
            OrderNotice::Failed => "could not be fulfilled",
            OrderNotice::Shipped => "is on its way",
            OrderNotice::Cancelled => "is cancelled",
        };
        let (text, html) = (OrderText { it: &it }.render()?, OrderHtml { it: &it }.render()?);
        Ok(Self { subject: format!("Your order {what} ({})", it.id), text, html })
    }

    /// To the staff, about a product that is running out; `name` is what it is called, where that is known.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn about_stock(stock: &StockNews, name: Option<&str>) -> Result<Self, Unwritable> {
        let StockNews { product_id, available, low_water } = stock;
        let id = product_id.to_string();
        let name = line(name.unwrap_or(&id));
        let it = StockView { id, name, available: *available, low_water: *low_water };
        let (text, html) = (StockText { it: &it }.render()?, StockHtml { it: &it }.render()?);
        Ok(Self { subject: format!("Stock is low: {} left of {}", it.available, it.id), text, html })
    }
}

impl OrderView {
    fn of(notice: OrderNotice, order: &Order, name: &str) -> Self {
        let lines = order.lines.iter().map(|one| LineView {
            name: line(&one.name),
            quantity: one.quantity,
            unit_price: one.unit_price.to_string(),
        });
        let shortages = match &order.failure {
            Some(Failure::OutOfStock { shortages }) => shortages.as_slice(),
            Some(Failure::Expired | Failure::ProcessingFailed) | None => &[],
        };
        let shortages = shortages.iter().map(|short| {
            let line_of = order.lines.iter().find(|one| one.product_id == short.product_id);
            let name = line(line_of.map_or(short.product_id.as_str(), |one| one.name.as_str()));
            ShortageView { name, requested: short.requested, available: short.available }
        });
        let shipment = order.shipment.as_ref();
        Self {
            notice,
            name: line(name),
            id: order.id.to_string(),
            lines: lines.collect(),
            total: order.total.to_string(),
            shortages: shortages.collect(),
            carrier: shipment.and_then(|shipment| shipment.carrier.as_deref()).map(line),
            tracking_number: shipment.and_then(|shipment| shipment.tracking_number.as_deref()).map(line),
        }
    }
}

/// A value on one line, whatever was in it.
fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ProductId;
    use serde_json::{Value, json};

    const EVIL: &str = "<script>alert(\"1\")</script> & Co\r\nBcc: eve@example.com";
    const ID: &str = "hjv6k3mmmfrggzdfmztwq2lknnwg23tpoa";

    fn order(more: &Value) -> Order {
        let money = |amount_minor: u64| json!({"amountMinor": amount_minor, "currency": "EUR"});
        let line = json!({"productId": "w", "name": EVIL, "quantity": 3, "unitPrice": money(1999)});
        let mut order = json!({
            "id": ID, "customerId": "ada", "status": "confirmed", "lines": [line], "total": money(5997),
            "placedAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:00Z", "settled": false, "events": 2,
            "fingerprint": crate::domain::id::Fingerprint::of([]),
        });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(order).unwrap()
    }

    fn letter(notice: OrderNotice, more: &Value) -> Letter {
        let letter = Letter::about_order(notice, &order(more), EVIL).unwrap();
        assert!(!letter.subject.contains(['\r', '\n']));
        for form in [&letter.text, &letter.html] {
            assert!(!form.contains('\r') && !form.contains("\nBcc") && form.contains(ID), "{form}");
        }
        assert!(
            !letter.html.contains("<script") && letter.html.contains("&#60;script&#62;"),
            "{}",
            letter.html
        );
        assert!(letter.html.contains("&#34;1&#34;") && letter.html.contains("&#38; Co"), "{}", letter.html);
        letter
    }

    #[test]
    fn confirmation_tells_lines_and_total() {
        let letter = letter(OrderNotice::Confirmed, &json!({}));
        assert_eq!(letter.subject, format!("Your order is confirmed ({ID})"));
        let shown = EVIL.replace("\r\n", "  ");
        let expected = format!(
            "Hello {shown},\n\nThank you for your order. It is confirmed, and we are packing it.\n\n  3 x {shown}, 19.99 EUR \
             each\n  Total: 59.97 EUR\n\nYour order number is {ID}.\n\nYour Widget & Co shop"
        );
        assert_eq!(letter.text, expected);
        for part in ["59.97 EUR", "19.99 EUR", "It is confirmed"] {
            assert!(letter.html.contains(part), "{part}");
        }
    }

    #[test]
    fn failure_tells_what_lacked() {
        let shortages = json!([{"productId": "w", "requested": 3, "available": 1}]);
        let lacking = json!({"status": "failed", "failure": {"code": "outOfStock", "shortages": shortages}});
        let told = letter(OrderNotice::Failed, &lacking);
        assert_eq!(told.subject, format!("Your order could not be fulfilled ({ID})"));
        for form in [&told.text, &told.html] {
            assert!(form.contains("you asked for 3, and we have 1"), "{form}");
        }
        let expired =
            letter(OrderNotice::Failed, &json!({"status": "failed", "failure": {"code": "expired"}}));
        assert!(expired.text.contains("on our side") && !expired.text.contains("asked for"));
    }

    #[test]
    fn shipment_tells_carrier_and_number_if_there_are_any() {
        let shipment =
            json!({"shippedAt": "2026-03-02T12:00:00Z", "carrier": EVIL, "trackingNumber": "PX-42<"});
        let told = letter(OrderNotice::Shipped, &json!({"status": "shipped", "shipment": shipment}));
        assert!(told.text.contains("Tracking number: PX-42<\n"), "{}", told.text);
        assert!(told.html.contains("Tracking number: PX-42&#60;"), "{}", told.html);
        let bare = json!({"status": "shipped", "shipment": {"shippedAt": "2026-03-02T12:00:00Z"}});
        let told = letter(OrderNotice::Shipped, &bare);
        assert!(!told.text.contains("Carrier") && !told.text.contains("Tracking"), "{}", told.text);
    }

    #[test]
    fn cancellation_says_that_nothing_comes() {
        let cancellation = json!({"cancelledAt": "2026-03-02T12:00:00Z", "reason": "private words"});
        let told =
            letter(OrderNotice::Cancelled, &json!({"status": "cancelled", "cancellation": cancellation}));
        assert!(told.text.contains("is cancelled") && !told.text.contains("private words"));
    }

    #[test]
    fn low_stock_names_the_product_and_the_counts() {
        let stock = StockNews { product_id: ProductId::parse("w").unwrap(), available: 2, low_water: 5 };
        let told = Letter::about_stock(&stock, Some(EVIL)).unwrap();
        assert_eq!(told.subject, "Stock is low: 2 left of w");
        assert!(told.text.contains("2 pieces") && told.text.contains("mark of 5"), "{}", told.text);
        assert!(!told.text.contains("\nBcc") && !told.html.contains("<script"), "{}", told.html);
        assert!(Letter::about_stock(&stock, None).unwrap().text.contains("w (w)"));
    }
}

//! The routing table: one line per function, and one more for what the API's document says of it; nothing else.
//! `functions/<Name>/function.json` says the same to the host.

use axum::Router;
use axum::routing::{delete, get, patch, post, put};

use crate::app::App;
use crate::auth::caller::access;
use crate::host::Described;

pub mod api;
pub mod async_api;
pub mod customer;
pub mod docs;
pub mod error;
pub mod example;
pub mod insights;
pub mod keep;
pub mod kind;
pub mod order;
pub mod page;
pub mod partner;
pub mod picture;
pub mod product;
pub mod publish;
pub mod pull;
pub mod resource;
pub mod review;
pub mod ring;
pub mod timing;
pub mod webhook;

pub mod add_image;
pub mod adjust_stock;
pub mod arrange_images;
pub mod audit_stock;
pub mod cancel_order;
pub mod create_collection;
pub mod create_customer;
pub mod create_product;
pub mod create_webhook;
pub mod delete_customer;
pub mod delete_product;
pub mod delete_review;
pub mod delete_webhook;
pub mod deliver_webhook;
pub mod describe_image;
pub mod dispatch_webhooks;
pub mod export_customer;
pub mod get_async_api;
pub mod get_audit;
pub mod get_category_tree;
pub mod get_collection;
pub mod get_customer;
pub mod get_docs;
pub mod get_docs_file;
pub mod get_image;
pub mod get_open_api;
pub mod get_order;
pub mod get_order_events;
pub mod get_partner;
pub mod get_product;
pub mod get_rendition;
pub mod get_review;
pub mod get_review_insights;
pub mod get_review_summary;
pub mod get_shipping_address;
pub mod get_stock;
pub mod get_webhook;
pub mod heartbeat;
pub mod import_products;
pub mod list_collections;
pub mod list_customer_disclosures;
pub mod list_customer_orders;
pub mod list_customers;
pub mod list_deliveries;
pub mod list_disclosures;
pub mod list_images;
pub mod list_partners;
pub mod list_products;
pub mod list_reported_reviews;
pub mod list_reviews;
pub mod list_webhooks;
pub mod mark_shipped;
pub mod moderate_review;
pub mod notify_customer;
pub mod patch_product;
pub mod place_order;
pub mod process_order;
pub mod publish_orders;
pub mod publish_products;
pub mod publish_reviews;
pub mod publish_stock;
pub mod pull_customers;
pub mod record_poison_order;
pub mod recover_orders;
pub mod redeliver_webhook;
pub mod remove_image;
pub mod replace_collection;
pub mod replace_customer;
pub mod replace_partner;
pub mod replace_product;
pub mod replace_webhook;
pub mod report_review;
pub mod retry_webhooks;
pub mod rotate_webhook_secret;
pub mod set_consents;
pub mod set_stock;
pub mod start_order;
pub mod sweep_images;
pub mod unvote_review;
pub mod update_inventory;
pub mod vote_review;
pub mod warn_low_stock;
pub mod write_review;
pub mod z_fallback;

/// Every function at its address: plain HTTP functions under `/api`, all others at `/{FunctionName}`.
pub fn routes(app: App) -> Router {
    with_goods(with_people(with_webhooks(with_events(with_invoked(Router::new()))))).with_state(app)
}

/// What the host invokes with an envelope.
fn with_invoked(router: Router<App>) -> Router<App> {
    router
        .route("/AuditStock", post(audit_stock::audit_stock))
        .route("/CancelOrder", post(cancel_order::cancel_order))
        .route("/MarkShipped", post(mark_shipped::mark_shipped))
        .route("/NotifyCustomer", post(notify_customer::notify_customer))
        .route("/PlaceOrder", post(place_order::place_order))
        .route("/ProcessOrder", post(process_order::process_order))
        .route("/RecordPoisonOrder", post(record_poison_order::record_poison_order))
        .route("/RecoverOrders", post(recover_orders::recover_orders))
        .route("/SweepImages", post(sweep_images::sweep_images))
        .route("/WarnLowStock", post(warn_low_stock::warn_low_stock))
        .route("/ZFallback", post(z_fallback::z_fallback))
}

/// What changes are announced by, and what hears of them.
fn with_events(router: Router<App>) -> Router<App> {
    router
        .route("/PublishOrders", post(publish_orders::publish_orders))
        .route("/PublishProducts", post(publish_products::publish_products))
        .route("/PublishReviews", post(publish_reviews::publish_reviews))
        .route("/PublishStock", post(publish_stock::publish_stock))
        .route("/StartOrder", post(start_order::start_order))
        .route("/UpdateInventory", post(update_inventory::update_inventory))
}

/// Webhooks: what is kept of them, and what sends events there.
fn with_webhooks(router: Router<App>) -> Router<App> {
    router
        .route("/api/webhooks", get(list_webhooks::list_webhooks))
        .route("/api/webhooks", post(create_webhook::create_webhook))
        .route("/api/webhooks/{id}", delete(delete_webhook::delete_webhook))
        .route("/api/webhooks/{id}", get(get_webhook::get_webhook))
        .route("/api/webhooks/{id}", put(replace_webhook::replace_webhook))
        .route("/api/webhooks/{id}/deliveries", get(list_deliveries::list_deliveries))
        .route("/api/webhooks/{id}/secret", post(rotate_webhook_secret::rotate_webhook_secret))
        .route("/DeliverWebhook", post(deliver_webhook::deliver_webhook))
        .route("/DispatchWebhooks", post(dispatch_webhooks::dispatch_webhooks))
        .route("/RedeliverWebhook", post(redeliver_webhook::redeliver_webhook))
        .route("/RetryWebhooks", post(retry_webhooks::retry_webhooks))
}

/// Orders, customers and partners, and what operators look at.
fn with_people(router: Router<App>) -> Router<App> {
    router
        .route("/api/audit", get(get_audit::get_audit))
        .route("/api/asyncapi.json", get(get_async_api::get_async_api))
        .route("/api/openapi.json", get(get_open_api::get_open_api))
        .route("/api/docs", get(get_docs::get_docs))
        .route("/api/docs/{file}", get(get_docs_file::get_docs_file))
        .route("/api/orders/{id}", get(get_order::get_order))
        .route("/api/orders/{id}/events", get(get_order_events::get_order_events))
        .route("/api/orders/{id}/shipping-address", get(get_shipping_address::get_shipping_address))
        .route("/api/heartbeat", get(heartbeat::heartbeat))
        .route("/api/customers", get(list_customers::list_customers))
        .route("/api/customers", post(create_customer::create_customer))
        .route("/api/customers/{id}", delete(delete_customer::delete_customer))
        .route("/api/customers/{id}", get(get_customer::get_customer))
        .route("/api/customers/{id}", put(replace_customer::replace_customer))
        .route("/api/customers/{id}/consents", put(set_consents::set_consents))
        .route("/api/customers/{id}/export", get(export_customer::export_customer))
        .route("/api/customers/{id}/orders", get(list_customer_orders::list_customer_orders))
        .route("/api/customers/{id}/disclosures", get(list_customer_disclosures::list_customer_disclosures))
        .route("/api/partners", get(list_partners::list_partners))
        .route("/api/partners/{id}", get(get_partner::get_partner))
        .route("/api/partners/{id}", put(replace_partner::replace_partner))
        .route("/api/partners/{id}/customers", get(pull_customers::pull_customers))
        .route("/api/partners/{id}/disclosures", get(list_disclosures::list_disclosures))
}

/// Products, and what belongs to them.
fn with_goods(router: Router<App>) -> Router<App> {
    router
        .route("/api/products/{id}/stock/adjustments", post(adjust_stock::adjust_stock))
        .route("/api/products/{id}", get(get_product::get_product))
        .route("/api/products/{id}/stock", get(get_stock::get_stock))
        .route("/api/products", get(list_products::list_products))
        .route("/api/products", post(create_product::create_product))
        .route("/api/product-imports", post(import_products::import_products))
        .route("/api/products/{id}", delete(delete_product::delete_product))
        .route("/api/products/{id}", patch(patch_product::patch_product))
        .route("/api/products/{id}", put(replace_product::replace_product))
        .route("/api/category-tree", get(get_category_tree::get_category_tree))
        .route("/api/collections", get(list_collections::list_collections))
        .route("/api/collections", post(create_collection::create_collection))
        .route("/api/collections/{id}", get(get_collection::get_collection))
        .route("/api/collections/{id}", put(replace_collection::replace_collection))
        .route("/api/products/{id}/stock", put(set_stock::set_stock))
        .route("/api/products/{id}/images", post(add_image::add_image))
        .route("/api/products/{id}/images", get(list_images::list_images))
        .route("/api/products/{id}/images", put(arrange_images::arrange_images))
        .route("/api/products/{id}/images/{imageId}", get(get_image::get_image))
        .route("/api/products/{id}/images/{imageId}", patch(describe_image::describe_image))
        .route("/api/products/{id}/images/{imageId}", delete(remove_image::remove_image))
        .route("/api/products/{id}/images/{imageId}/{width}", get(get_rendition::get_rendition))
        .route("/api/products/{id}/reviews", get(list_reviews::list_reviews))
        .route("/api/products/{id}/reviews/{customerId}", get(get_review::get_review))
        .route("/api/products/{id}/reviews/{customerId}", put(write_review::write_review))
        .route("/api/products/{id}/reviews/{customerId}", delete(delete_review::delete_review))
        .route("/api/products/{id}/reviews/{customerId}/moderation", put(moderate_review::moderate_review))
        .route(
            "/api/products/{id}/reviews/{customerId}/reports/{reporterId}",
            put(report_review::report_review),
        )
        .route("/api/products/{id}/reviews/{customerId}/votes/{voterId}", put(vote_review::vote_review))
        .route(
            "/api/products/{id}/reviews/{customerId}/votes/{voterId}",
            delete(unvote_review::unvote_review),
        )
        .route("/api/products/{id}/review-summary", get(get_review_summary::get_review_summary))
        .route("/api/review-insights", get(get_review_insights::get_review_insights))
        .route("/api/reported-reviews", get(list_reported_reviews::list_reported_reviews))
}

/// An HTTP function with its `function.json`, which says where it is, what is said of it, and who may call it: its handler's
/// signature states that, and one that states nothing does not compile here.
macro_rules! described {
    ($name:literal, $module:ident) => {
        Described {
            name: $name,
            declaration: include_str!(concat!("../functions/", $name, "/function.json")),
            operation: $module::operation(),
            access: access($module::$module),
        }
    };
}

/// Every HTTP function, for the API's document.
pub fn described() -> Vec<Described> {
    vec![
        described!("AddImage", add_image),
        described!("AdjustStock", adjust_stock),
        described!("ArrangeImages", arrange_images),
        described!("CancelOrder", cancel_order),
        described!("CreateCollection", create_collection),
        described!("CreateCustomer", create_customer),
        described!("CreateProduct", create_product),
        described!("CreateWebhook", create_webhook),
        described!("DeleteCustomer", delete_customer),
        described!("DeleteProduct", delete_product),
        described!("DeleteReview", delete_review),
        described!("DeleteWebhook", delete_webhook),
        described!("DescribeImage", describe_image),
        described!("ExportCustomer", export_customer),
        described!("GetAsyncApi", get_async_api),
        described!("GetAudit", get_audit),
        described!("GetCategoryTree", get_category_tree),
        described!("GetCollection", get_collection),
        described!("GetCustomer", get_customer),
        described!("GetDocs", get_docs),
        described!("GetDocsFile", get_docs_file),
        described!("GetImage", get_image),
        described!("GetOpenApi", get_open_api),
        described!("GetOrder", get_order),
        described!("GetOrderEvents", get_order_events),
        described!("GetPartner", get_partner),
        described!("GetProduct", get_product),
        described!("GetRendition", get_rendition),
        described!("GetReview", get_review),
        described!("GetReviewInsights", get_review_insights),
        described!("GetReviewSummary", get_review_summary),
        described!("GetShippingAddress", get_shipping_address),
        described!("GetStock", get_stock),
        described!("GetWebhook", get_webhook),
        described!("Heartbeat", heartbeat),
        described!("ImportProducts", import_products),
        described!("ListCollections", list_collections),
        described!("ListCustomerDisclosures", list_customer_disclosures),
        described!("ListCustomerOrders", list_customer_orders),
        described!("ListCustomers", list_customers),
        described!("ListDeliveries", list_deliveries),
        described!("ListDisclosures", list_disclosures),
        described!("ListImages", list_images),
        described!("ListPartners", list_partners),
        described!("ListProducts", list_products),
        described!("ListReportedReviews", list_reported_reviews),
        described!("ListReviews", list_reviews),
        described!("ListWebhooks", list_webhooks),
        described!("MarkShipped", mark_shipped),
        described!("ModerateReview", moderate_review),
        described!("PatchProduct", patch_product),
        described!("PlaceOrder", place_order),
        described!("PullCustomers", pull_customers),
        described!("RedeliverWebhook", redeliver_webhook),
        described!("RemoveImage", remove_image),
        described!("ReplaceCollection", replace_collection),
        described!("ReplaceCustomer", replace_customer),
        described!("ReplacePartner", replace_partner),
        described!("ReplaceProduct", replace_product),
        described!("ReplaceWebhook", replace_webhook),
        described!("ReportReview", report_review),
        described!("RotateWebhookSecret", rotate_webhook_secret),
        described!("SetConsents", set_consents),
        described!("SetStock", set_stock),
        described!("UnvoteReview", unvote_review),
        described!("VoteReview", vote_review),
        described!("WriteReview", write_review),
    ]
}

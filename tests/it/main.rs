//! The integration tests, in one binary so that they link once.
#![cfg(test)]

mod audit_stock;
mod azurite;
mod bad_input;
mod blobs;
mod budgets;
mod cancel_order;
mod collections;
mod contract;
mod crash;
mod get_docs;
mod group_commit;
mod hot_reads;
mod image_crash;
mod images;
mod import_products;
mod lean_build;
mod list_customer_orders;
mod list_products;
mod mark_shipped;
mod model;
mod place_order;
mod process_order;
mod products;
mod program;
mod reads;
mod record_poison_order;
mod recover_orders;
mod regions;
mod shop;
mod simulation;
mod stock;
mod sweep_images;
mod tidy;
mod wire;

//! The plan of an inventory: facts in, a status out.

#![allow(clippy::unwrap_used)]

mod changes;
mod deleted;
mod fixture;
mod items;
mod lineage;
mod listing;
mod plan;
mod sights;

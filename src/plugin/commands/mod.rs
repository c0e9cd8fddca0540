//! The commands, one file each.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod edit;
pub(super) mod explain;
pub(super) mod status;
pub(super) mod top;
pub(super) mod wait;

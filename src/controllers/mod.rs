//! What keeps the custom resources and Glue in line.

pub mod leadership;
pub mod settings;

pub use leadership::{Leadership, LeadershipKeeper};
pub use settings::Settings;

//! What a controller of one kind has, without watches of Secrets and without a receiver of lineage.

use kube::Client;

use crate::controllers::runtime::context::Shared;
use crate::controllers::runtime::credentials::resolver::ClientResolver;
use crate::controllers::runtime::credentials::secrets::Secrets;
use crate::controllers::runtime::events::Events;
use crate::controllers::runtime::failure_log::FailureLogs;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lineage::Lineage;
use crate::controllers::runtime::{Leadership, Settings};
use crate::glue::Clients;
use crate::glue::aws::AwsConfig;
use crate::metrics::Metrics;

pub(super) fn shared<K: Kind>(client: &Client, config: AwsConfig, settings: &Settings, metrics: &Metrics) -> Shared {
    let (clients, rules) = (Clients::new(config), settings.identity_rules.clone());
    let events = Events::new(client.clone(), metrics.clone());
    Shared {
        client: client.clone(),
        resolver: ClientResolver::new(client.clone(), clients, Secrets::new(false), rules).of_kind(K::KIND),
        leadership: Leadership::always(),
        settings: settings.clone(),
        metrics: metrics.clone(),
        failure_logs: FailureLogs::new(events.clone(), Leadership::always(), settings.failure_logs),
        events,
        lineage: Lineage::new(None, metrics).unwrap(),
    }
}

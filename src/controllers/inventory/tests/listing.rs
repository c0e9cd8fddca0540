//! The order of the items, and the size of the status.

use jiff::ToSpan;
use serde_json::json;

use super::fixture::{Fixture, start};
use crate::api::inventory::ItemType;
use crate::glue::job_runs::JobRunState::{self, Failed, Running, Succeeded};

#[test]
fn what_needs_a_look_stands_first_and_the_rest_is_counted() {
    let jobs: [(&str, &[JobRunState]); 6] = [
        ("ok", &[Succeeded]),
        ("fails", &[Failed]),
        ("runs", &[Running]),
        ("idle", &[]),
        ("fails-long-ago", &[Failed]),
        ("leaves", &[Succeeded]),
    ];
    let mut fixture = Fixture::with_jobs(json!({}), &jobs);
    let old = &mut fixture.picture.jobs.items.get_mut("fails-long-ago").unwrap().runs.as_mut().unwrap()[0];
    old.started_on = Some(start() - 48.hours());
    fixture.apply();
    fixture.picture.jobs.items.remove("leaves");
    fixture.apply();
    assert_eq!(fixture.names(), ["fails", "fails-long-ago", "runs", "leaves", "ok", "idle"]);
    fixture.object.spec.max_items = Some(2);
    fixture.apply();
    assert_eq!((fixture.names(), fixture.status().unlisted), (vec!["fails", "fails-long-ago"], 3));
    assert_eq!(fixture.status().counts.as_ref().unwrap().jobs.as_ref().unwrap().total, 5);
}

/// An account whose items are as large as Glue allows: names of 255 characters, messages and tags of four bytes each.
fn largest(jobs: usize, spec: serde_json::Value) -> usize {
    let mut fixture = Fixture::new(spec);
    for n in 0..jobs {
        let name = format!("{n:04}{}", "🎉".repeat(251));
        fixture.set_runs(&name, vec![Failed; 50]);
        for run in fixture.picture.jobs.items.get_mut(&name).unwrap().runs.iter_mut().flatten() {
            run.error_message = Some("🎉".repeat(1000));
        }
        let tags = (0..50).map(|n| (format!("{n}{}", "🎉".repeat(126)), "🎉".repeat(256))).collect();
        fixture.picture.tags.insert((ItemType::Job, name), tags);
    }
    fixture.apply();
    let (listed, unlisted) = (fixture.status().items.len(), fixture.status().unlisted);
    assert_eq!(listed + usize::try_from(unlisted).unwrap(), jobs);
    serde_json::to_vec(fixture.status()).unwrap().len()
}

#[test]
fn no_account_makes_a_status_of_a_megabyte() {
    let most = largest(1200, json!({"maxItems": 1000, "includeTags": true, "runsPerJob": 50}));
    assert!((800_000..1_000_000).contains(&most), "{most}");
    let most = largest(1200, json!({"maxItems": 1000}));
    assert!(most < 1_000_000, "{most}");
}

/// Of an account with usual names and messages.
#[test]
fn the_default_status_of_a_large_account_is_small() {
    let mut fixture = Fixture::new(json!({}));
    for n in 0..2000 {
        let name = format!("orders-daily-{n:04}");
        fixture.set_runs(&name, [if n % 20 == 0 { Failed } else { Succeeded }]);
        if n % 20 == 0 {
            let runs = fixture.picture.jobs.items.get_mut(&name).unwrap().runs.as_mut().unwrap();
            runs[0].error_message =
                Some("AnalysisException: Path does not exist: s3://landing/orders/2026-03-02".to_owned());
        }
    }
    fixture.apply();
    assert_eq!((fixture.status().items.len(), fixture.status().unlisted), (200, 1800));
    let size = serde_json::to_vec(fixture.status()).unwrap().len();
    assert!(size < 80_000, "{size}");
}

//! A bounded number of seeds, and the mutations.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::campaign::Campaign;
use super::checks::Property;
use super::kind::Kind;
use super::mutations::Mutation;

/// How long the seeds of a kind may take here. `cargo simulate` runs as many as are wanted.
const BUDGET: Duration = Duration::from_secs(8);
const SEEDS: u64 = 40;
/// How many objects a world has.
const OBJECTS: usize = 80;

#[test]
fn a_seed_leads_to_the_same_world_each_time() {
    for kind in Kind::ALL {
        let campaign = Campaign::new(kind, OBJECTS);
        for seed in [3, 19] {
            let (first, again) = (campaign.run(seed), campaign.run(seed));
            assert_eq!(format!("{first:?}"), format!("{again:?}"), "seed {seed} of {kind:?}s");
        }
    }
}

#[test]
fn every_property_holds_in_worlds_of_many_objects() {
    for kind in Kind::ALL {
        let (campaign, began) = (Campaign::new(kind, OBJECTS), Instant::now());
        for seed in (0..SEEDS).take_while(|seed| *seed < 10 || began.elapsed() < BUDGET) {
            if let Some(violation) = campaign.run(seed).1.first() {
                panic!("{}", campaign.explain(seed, violation));
            }
        }
    }
}

/// Seeds in which a property did not hold, with the number of objects.
const ONCE_VIOLATED: [(u64, usize); 11] = [
    (399, 100),
    (426, 100),
    (1339, 100),
    (1200, 150),
    (1301, 150),
    (1318, 150),
    (1461, 150),
    (3347, 150),
    (3428, 150),
    (3532, 150),
    (3544, 150),
];

#[test]
fn every_property_holds_in_the_worlds_in_which_it_did_not() {
    for (seed, objects) in ONCE_VIOLATED {
        let campaign = Campaign::new(Kind::JobRun, objects);
        if let Some(violation) = campaign.run(seed).1.first() {
            panic!("{}", campaign.explain(seed, violation));
        }
    }
}

#[test]
fn every_mutation_is_found() {
    for (mutation, property, kind, seed, objects) in Mutation::ALL {
        let campaign = Campaign {
            mutation: Some(mutation),
            properties: BTreeSet::from([property]),
            ..Campaign::new(kind, objects)
        };
        assert!(
            !campaign.run(seed).1.is_empty(),
            "{mutation:?} breaks {property:?} in seed {seed} of {kind:?}s no more"
        );
    }
}

#[test]
fn the_manual_lists_every_property_and_every_mutation() {
    let manual = include_str!("../../docs/guarantees.md");
    let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    for property in Property::ALL {
        let name = name(property.to_possible_value()).unwrap_or_default();
        assert!(manual.contains(&format!("| `{name}` | ")), "{name}");
    }
    for (mutation, property, ..) in Mutation::ALL {
        let names = (name(mutation.to_possible_value()), name(property.to_possible_value()));
        let (mutation, property) = (names.0.unwrap_or_default(), names.1.unwrap_or_default());
        let is_row =
            |line: &str| line.starts_with(&format!("| `{mutation}`")) && line.ends_with(&format!("| `{property}` |"));
        assert!(manual.lines().any(is_row), "{mutation} breaks {property}");
    }
}

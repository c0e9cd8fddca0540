use super::*;

fn call(operation: &str, name: &str) -> Call {
    Call { operation: operation.into(), name: Some(name.to_owned()), ..Call::default() }
}

#[test]
fn nth_counts_only_matching_calls() {
    let faults = Faults::default();
    let id = faults.add(Fault::on("StartJobRun").name("etl").nth(2).then(Then::Http500));
    assert_eq!(faults.effect_on(&call("StartJobRun", "etl")), None);
    assert_eq!(faults.effect_on(&call("StartJobRun", "other")), None);
    assert_eq!(faults.effect_on(&call("GetJobRun", "etl")), None);
    assert_eq!(faults.effect_on(&call("StartJobRun", "etl")), Some(Then::Http500));
    assert_eq!(faults.effect_on(&call("StartJobRun", "etl")), None);
    assert_eq!(faults.hits(id), 1);
}

#[test]
fn the_first_rule_that_hits_decides_and_a_used_up_rule_does_not_hit() {
    let faults = Faults::default();
    faults.add(Fault::on("GetJobRuns").times(1).then(Then::Throttle));
    faults.add(Fault::on_any().then(Then::ExpiredToken));
    assert_eq!(faults.effect_on(&call("GetJobRuns", "a")), Some(Then::Throttle));
    assert_eq!(faults.effect_on(&call("GetJobRuns", "a")), Some(Then::ExpiredToken));
}

#[test]
fn the_same_seed_repeats_the_same_hits() {
    let hits_with = |seed| {
        let faults = Faults::default();
        faults.seed(seed);
        faults.add(Fault::on_any().probability(0.5));
        (0..64).map(|_| faults.effect_on(&call("A", "a")).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(hits_with(7), hits_with(7));
    let hits = hits_with(7).into_iter().filter(|hit| *hit).count();
    assert!((10..54).contains(&hits), "{hits} of 64");
}

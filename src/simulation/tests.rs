//! A bounded number of seeds.

use super::campaign::Campaign;

#[test]
fn a_seed_leads_to_the_same_world_each_time() {
    let campaign = Campaign::new(40);
    for seed in 0..3 {
        let (first, again) = (campaign.run(seed), campaign.run(seed));
        assert_eq!(format!("{first:?}"), format!("{again:?}"), "seed {seed}");
    }
}

//! Percentiles, and the exponent of a growth.

use std::time::Duration;

/// The value below which `part` (0 to 1) of the samples lie, by the nearest rank; none without samples.
pub(crate) fn percentile(samples: &[Duration], part: f64) -> Option<Duration> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// The exponent e of the power law y = c * x^e that fits the points best: least squares on the logarithms. None with
/// fewer than two different x, or with a value that is not positive.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    if points.iter().any(|(x, y)| *x <= 0.0 || *y <= 0.0) {
        return None;
    }
    #[expect(clippy::cast_precision_loss)]
    let count = points.len() as f64;
    let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_the_nearest_rank() {
        let samples: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&samples, 0.5), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&samples, 0.99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&samples, 1.0), Some(Duration::from_millis(200)));
        assert_eq!(percentile(&samples, 0.0), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&samples[..1], 0.99), Some(Duration::from_millis(200)));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_exponent_of_a_power_law_is_found() {
        for exact in [0.0, 0.5, 1.0, 2.0] {
            let points = [1e3, 3e3, 1e4, 3e4].map(|x: f64| (x, 7.0 * x.powf(exact)));
            let found = exponent(&points).unwrap();
            assert!((found - exact).abs() < 1e-9, "{found} in place of {exact}");
        }
    }

    #[test]
    fn there_is_no_exponent_without_a_growth() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(10.0, 1.0)]), None);
        assert_eq!(exponent(&[(10.0, 1.0), (10.0, 2.0)]), None);
        assert_eq!(exponent(&[(10.0, 0.0), (20.0, 2.0)]), None);
    }
}

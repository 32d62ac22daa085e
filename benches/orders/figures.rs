//! Medians, percentiles and ratios.

use std::time::Duration;

/// The value that half of the others do not exceed; zero of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match (values.get(values.len() / 2), values.len() % 2) {
        (None, _) => 0.0,
        (Some(middle), 1) => *middle,
        (Some(above), _) => f64::midpoint(values[values.len() / 2 - 1], *above),
    }
}

/// The smallest that so many percent of the durations do not exceed, in milliseconds; zero of none.
pub(crate) fn percentile_ms(durations: &[Duration], percent: usize) -> f64 {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
}

/// A number of things as a factor; numbers here are far below the limit.
pub(crate) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

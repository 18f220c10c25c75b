//! A quantile of a classic histogram, as PromQL's `histogram_quantile` has it: linear within a bucket.
//!
//! Source: `BucketQuantile` in `promql/quantile.go` of Prometheus.

/// The quantile `q` of buckets in the order of their bounds, the last of which is infinite, each with what is at most its bound. `None`
/// where nothing was observed.
pub(super) fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (&(infinite, all), bounded) = buckets.split_last()?;
    let &(highest, _) = bounded.last()?;
    if infinite != f64::INFINITY || all <= 0.0 {
        return None;
    }
    let rank = q * all;
    // Nobody knows how far beyond the last bound it is.
    let Some(at) = bounded.iter().position(|(_, within)| *within >= rank) else { return Some(highest) };
    let (end, within) = bounded[at];
    let (start, below) = if at == 0 { (0.0, 0.0) } else { bounded[at - 1] };
    if within == below {
        return Some(end);
    }
    Some(start + (end - start) * (rank - below) / (within - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A running Prometheus is compared in `e2e/tests/scraped/page.rs`.
    #[test]
    fn it_lies_within_its_bucket_by_its_rank() {
        let inf = f64::INFINITY;
        let buckets = [(0.1, 10.0), (0.2, 10.0), (0.5, 30.0), (1.0, 38.0), (inf, 40.0)];
        for (q, right) in [(0.125, 0.05), (0.25, 0.1), (0.5, 0.35), (0.85, 0.75), (0.95, 1.0), (0.99, 1.0)] {
            assert!((quantile(q, &buckets).unwrap() - right).abs() < 1e-12, "{q}: {:?}", quantile(q, &buckets));
        }
        for nothing in [&[][..], &[(inf, 5.0)], &[(1.0, 0.0), (inf, 0.0)], &[(1.0, 2.0), (2.0, 2.0)]] {
            assert_eq!(quantile(0.5, nothing), None);
        }
    }
}

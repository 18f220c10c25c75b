//! What was counted in the chosen period. What the form gives is shown on a running Prometheus: `e2e/tests/scraped/period.rs`.

use e2e::{
    dashboard::{Dashboard, Query, all, exporters},
    promql::selectors,
};

fn queries() -> Vec<Query> {
    let all: Vec<_> = all().into_iter().chain(exporters()).collect();
    let queries = all.iter().flat_map(Dashboard::queries);
    queries.filter(|query| query.expression.contains("$__range")).collect()
}

/// Without `anchored` Prometheus guesses what lies between the ends of the period and the values near them: of 7 bookings it makes 10.5.
#[test]
fn every_query_over_the_chosen_period_has_the_one_form() {
    assert!(queries().len() >= 7, "{}", queries().len());
    for Query { place, expression, .. } in queries() {
        let mut rest = expression.clone();
        for selector in selectors(&expression) {
            let asked = selector.text();
            rest = rest.replace(&format!("increase({}[$__range] anchored)", asked.trim_end_matches("{}")), "");
        }
        assert!(!rest.contains("$__range"), "{place}: {rest}");
    }
}

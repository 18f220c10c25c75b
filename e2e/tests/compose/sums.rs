//! What *business* shows for a period, beside what the booking service itself has counted in it, although it was restarted once and
//! killed once meanwhile.

use std::time::{Duration, Instant};

use e2e::{
    Exposition,
    dashboard::{all, with_values_over},
    prometheus::Prometheus,
    promql::selectors,
};

use crate::stack::{Stack, docker};

/// The scrape interval, and a little: what the service counted is then in Prometheus.
const SCRAPED: Duration = Duration::from_secs(17);

/// No load runs but the one that is made here, so that both sides end with the same.
pub(crate) async fn are_what_the_service_counted(stack: &Stack, prometheus: &Prometheus) {
    let (began, before) = (Instant::now(), counted(stack).await);
    let mut lives = Vec::new();
    for end in ["restart", "kill", ""] {
        let load = ["run", "--rm", "--no-TTY", "--no-deps", "load", "load", "--rate", "60", "--duration", "8"];
        stack.compose(&[&load[..], &["--names", "Counted", "--events", "3"]].concat());
        tokio::time::sleep(SCRAPED).await;
        lives.push(counted(stack).await);
        let container = stack.compose(&["ps", "--quiet", "bookingservice"]);
        if !end.is_empty() {
            docker(&[end, container.trim()]);
            stack.up(&["--scale", "load=0"]);
        }
    }
    let range = format!("{}s", began.elapsed().as_secs());
    let business = all().into_iter().find(|one| one.file.contains("business")).expect("there is such a dashboard");
    let mut compared = 0;
    for query in business.queries() {
        let asked = selectors(&query.expression);
        let plain = query.expression.starts_with("sum(") || query.expression.starts_with("topk(");
        let ([asked], true) = (&asked[..], plain && query.expression.contains("$__range")) else { continue };
        for shown in prometheus.query(&with_values_over(&range, &query.expression)).await {
            let labels: Vec<_> = shown.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let of = |metrics: &Exposition| metrics.sum(&asked.metric, &labels);
            let right = lives.iter().map(of).sum::<f64>() - of(&before);
            let near = (shown.value - right).abs() <= right / 100.0 + 1e-6;
            assert!(near, "{}: {shown:?}, and the service counted {right}", query.place);
            compared += u32::from(right > 0.5);
        }
    }
    assert!(compared >= 6, "{compared}: three totals and three events");
    stack.step("the sums of a period with a restart and a kill are those that the service counted");
}

async fn counted(stack: &Stack) -> Exposition {
    stack.api("bookingservice", 9100).metrics().await
}

//! The production overlay, as far as one node and stand-ins can show it: its RabbitMQ cluster of three, with autoscalers and network
//! policies on.

use std::time::Duration;

use e2e::{
    eventually,
    kubectl::{kubectl, try_kubectl},
};

use crate::{cluster::Cluster, faults::enough, trial::Trial, watched};

/// Nodes of the cluster, and members of each queue.
const NODES: usize = 3;

pub(crate) async fn rabbitmq_is_a_cluster_of_three(cluster: &Cluster) {
    watched::a_booking_is_seen_everywhere(cluster).await;
    let queues = members();
    assert!(queues.iter().any(|(name, _)| name == "eventservice"), "{queues:?}");
    assert!(queues.iter().all(|(_, members)| *members == 1), "with one node each queue has one member: {queues:?}");

    kubectl(&["scale", "statefulset", "rabbitmq", "--replicas", "3"]);
    cluster.settled(Duration::from_secs(180)).await;
    cluster.step("three nodes of the broker are up");
    let grown = async || {
        let queues = members();
        (!queues.is_empty() && queues.iter().all(|(_, members)| *members == NODES)).then_some(())
    };
    eventually(Duration::from_secs(240), "each queue has a member on each node", grown).await;
    cluster.step("queues that were declared on one node have three members");

    let trial = Trial::start("one-of-three", 45).await;
    let began = std::time::Instant::now();
    kubectl(&["delete", "pod", "rabbitmq-1", "--grace-period=0", "--force"]);
    cluster.settled(Duration::from_secs(120)).await;
    println!("      one of three brokers was back after {:.1} s", began.elapsed().as_secs_f64());
    enough(&trial.end().await, "one of three brokers deleted");
    cluster.step("one of three brokers was deleted: verify is clean");
}

/// Each queue, and how many members it has.
fn members() -> Vec<(String, usize)> {
    let list = [
        "exec",
        "rabbitmq-0",
        "--container",
        "rabbitmq",
        "--",
        "rabbitmqctl",
        "--quiet",
        "--timeout",
        "10",
        "list_queues",
        "name",
        "members",
    ];
    let (well, said) = try_kubectl(&list);
    if !well {
        return Vec::new();
    }
    let lines = said.lines().filter_map(|line| line.split_once('\t'));
    lines
        .filter(|(name, _)| *name != "name")
        .map(|(name, nodes)| (name.to_owned(), nodes.matches("rabbit@").count()))
        .collect()
}

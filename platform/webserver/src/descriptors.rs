//! How the open files that a process may have are shared between its servers: each connection is one.

/// The most connections one REST server holds at once.
pub const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors kept back for files, listening and outgoing connections: two services without a client have 61 open.
const RESERVED: usize = 96;

/// How many files this process may open.
pub fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The most connections of one of `servers` REST servers: 25,000, or its share of the descriptors.
pub fn rest_connections(servers: usize, descriptors: usize) -> usize {
    let reserved = RESERVED + servers * ops_connections(descriptors);
    let share = descriptors.saturating_sub(reserved).max(servers) / servers;
    share.min(CONNECTIONS_MAX)
}

/// The most connections of an ops port: a sixteenth of the descriptors, so that it neither takes those of REST nor is blocked by
/// a few clients.
pub fn ops_connections(descriptors: usize) -> usize {
    (descriptors / 16).clamp(16, 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_together_fit_into_the_descriptors() {
        for (servers, descriptors) in [(1, 200), (2, 200), (1, 1024), (2, 1024), (2, 65_536), (2, usize::MAX)] {
            let all = servers * (rest_connections(servers, descriptors) + ops_connections(descriptors));
            assert!(all + RESERVED <= descriptors, "{servers} servers, {descriptors} descriptors: {all}");
        }
    }
}

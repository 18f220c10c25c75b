//! How many connections each server of a process may have: each one is a file descriptor, and their number is limited.

/// The most connections one REST server holds at once.
pub const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors that are reserved for files, listeners and outgoing connections. Two services without a client have 61 open.
const RESERVED: usize = 96;

/// The number of descriptors that this process may have.
pub fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The most connections of each of `servers` REST servers: 25,000, or its share of the descriptors.
pub fn rest_connections(servers: usize, descriptors: usize) -> usize {
    let reserved = RESERVED + servers * ops_connections(descriptors);
    let share = descriptors.saturating_sub(reserved).max(servers) / servers;
    share.min(CONNECTIONS_MAX)
}

/// The most connections of an ops port: a sixteenth of the descriptors, from 16 to 256. REST keeps enough of them, and a few clients
/// cannot block the ops port.
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

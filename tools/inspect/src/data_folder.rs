//! The data folder of a stopped system: which files are in it.

use std::path::Path;

use sqlite::open::OpenError;

/// The services' files. They are theirs alone; here only their presence is looked at.
pub const DATABASES: [&str; 2] = [EVENTS, BOOKINGS];
/// The event service's.
pub const EVENTS: &str = "eventservice.db";
/// The booking service's.
pub const BOOKINGS: &str = "bookingservice.db";

/// The file of the one service that has never been in this folder, where the other one has: services that run apart have a
/// folder each. A file that is gone and has left its lock behind is lost, and not elsewhere.
pub(crate) fn elsewhere(folder: &Path) -> Option<&'static str> {
    let never_here = |file: &str| !folder.join(file).exists() && !folder.join(format!("{file}.lock")).exists();
    match DATABASES.map(never_here) {
        [true, false] => Some(EVENTS),
        [false, true] => Some(BOOKINGS),
        [true, true] | [false, false] => None,
    }
}

/// The error where the folder of a stopped system is wanted and the system runs, and what to do instead.
pub(crate) fn not_stopped(cause: OpenError) -> anyhow::Error {
    if let OpenError::InUse(path, holder) = &cause {
        return anyhow::anyhow!(
            "{} is in use by another process{holder}: leave out --data-dir to ask the system while it runs, or stop it \
             first",
            path.display()
        );
    }
    cause.into()
}

//! Pages of the files overwritten, one at a time: wherever the damage lies, it is found.

use std::fs;

use super::made::Made;

const PAGE: usize = 4096;

#[tokio::test]
async fn a_page_that_was_overwritten_is_found_wherever_it_lies() {
    let made = Made::new().await;
    let whole = made.copy("whole");
    for service in ["eventservice", "bookingservice"] {
        // A page that is not in use holds nothing to be damaged.
        whole.change(service, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = fs::read(whole.file(service)).unwrap();
        assert!(bytes.len() >= 4 * PAGE, "{service} has {} bytes", bytes.len());
        for page in 0..bytes.len() / PAGE {
            let mut damaged = bytes.clone();
            damaged[page * PAGE..(page + 1) * PAGE].fill(0xa5);
            fs::write(whole.file(service), damaged).unwrap();

            let job = whole.verify(&[]);

            assert_eq!(job.code, Some(1), "page {page} of {service}: {}{}", job.out, job.err);
            assert!(job.out.contains(&format!("{service}.db is")), "page {page} of {service}: {}", job.out);
        }
        fs::write(whole.file(service), bytes).unwrap();
    }
    whole.verify(&[]).well();
}

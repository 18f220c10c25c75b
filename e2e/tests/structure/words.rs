//! Words that no source may say, or only some: what must never be used, and what a crate must know nothing of.

use std::collections::BTreeSet;

use e2e::sources::{code, names, sources};

/// What no source may say, and why.
const NEVER: [(&str, &str); 7] = [
    ("web::block", "each actix worker would open a pool of threads: read through the reader thread"),
    ("spawn_blocking", "it opens a pool of threads: see the table in platform/process/src/threads.rs"),
    ("lazy_static", "nothing global: pass it in"),
    ("static mut", "nothing global: pass it in"),
    ("#[path", "a file is a module in one place: what several tests use is in a library"),
    ("#[allow(", "write #[expect(…, reason = \"…\")]"),
    ("#![allow(", "write #![expect(…, reason = \"…\")]"),
];

#[test]
fn no_source_says_what_must_never_be_said() {
    for (file, source) in sources().into_iter().filter(|(file, _)| file != "e2e/tests/structure/words.rs") {
        let code = code(&source);
        for (words, instead) in NEVER {
            assert!(!code.contains(words), "{file} says {words}: {instead}");
        }
    }
}

/// A name is read as its words: `seats_left`, `BookingId` and `EventBooked` are about seats, bookings and events.
#[test]
fn the_platform_knows_no_event_no_booking_and_no_seat() {
    // Events of others: MongoDB's driver, tokio and the kernel report some, a log line is one, and messages go to an exchange of this
    // name.
    let events_of_others = [
        "platform/mongo/src/",
        "platform/amqp/src/",
        "platform/process/src/output.rs",
        "platform/process/src/telemetry.rs",
        "platform/process/src/metrics/runtime.rs",
    ];
    let mut files = 0;
    for (file, source) in sources().into_iter().filter(|(file, _)| file.starts_with("platform/")) {
        if file.contains("/tests/") {
            continue;
        }
        files += 1;
        let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
        for word in words(&code(&source)) {
            let of_others =
                matches!(&*word, "event" | "events") && events_of_others.iter().any(|of| file.starts_with(of));
            let ours = ["booking", "bookings", "booked", "seat", "seats", "event", "events"].contains(&&*word);
            assert!(!ours || of_others, "{file} says {word}");
        }
    }
    assert!(files > 50, "only {files} files");
}

/// The single words that names are made of, in small letters; `myevents` is one.
fn words(code: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for name in code.split(|c: char| !c.is_alphabetic()) {
        let (mut word, mut before) = (String::new(), ' ');
        for letter in name.chars() {
            if letter.is_uppercase() && before.is_lowercase() {
                words.insert(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
            before = letter;
        }
        words.insert(word);
    }
    words
}

#[test]
fn names_are_read_as_their_words() {
    let found = words("fn seats_left(id: BookingId) -> EventBooked { myevents::run() }");
    for word in ["seats", "booking", "event", "booked", "myevents"] {
        assert!(found.contains(word), "{word}: {found:?}");
    }
    assert!(!found.contains("events"));
}

/// What a rule says must be readable, and testable, without a server or a database.
#[test]
fn the_rules_know_no_http_no_sql_and_no_bson() {
    let of_the_rules = |file: &str| file.contains("service/src/domain/");
    let rules: Vec<_> = sources().into_iter().filter(|(file, _)| of_the_rules(file)).collect();
    assert!(rules.len() >= 8, "only {} files of rules", rules.len());
    for (file, source) in rules {
        let code = code(&source);
        for word in ["actix_web", "webserver", "http", "store", "rusqlite", "sqlite", "mongodb", "bson", "mongo"] {
            assert!(!names(&code, word), "{file} says {word}");
        }
        // Only what is stored is answered as it is; the body of a request is in `http/`.
        assert!(!names(&code, "utoipa") || file.ends_with("/records.rs"), "{file} documents a body");
    }
}

/// Who can write a field can break a rule. Open are a draft, which is not checked yet, a record, and a sale, which holds checked parts.
#[test]
fn what_keeps_the_rules_has_no_open_fields() {
    let mut types = 0;
    for (file, source) in sources().into_iter().filter(|(file, _)| file.contains("service/src/domain/")) {
        for item in syn::parse_file(&source).unwrap().items {
            let syn::Item::Struct(item) = item else { continue };
            let name = item.ident.to_string();
            if ["Draft", "Record", "Sale"].iter().any(|open| name.ends_with(open)) {
                continue;
            }
            types += 1;
            let open = |vis: &syn::Visibility| match vis {
                syn::Visibility::Restricted(within) => !within.path.is_ident("super"),
                syn::Visibility::Public(_) => true,
                syn::Visibility::Inherited => false,
            };
            assert!(!item.fields.iter().any(|field| open(&field.vis)), "{file}: {name} has open fields");
        }
    }
    assert!(types >= 6, "only {types} types");
}

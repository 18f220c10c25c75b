//! The list for people.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::Letter;

/// A cause may quote what a stranger sent, and a name may be what a stranger wrote.
const TEXT_MAX: usize = 300;

pub(super) fn text(letters: &[Letter]) -> String {
    if letters.is_empty() {
        return "There are no dead letters.".into();
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["id", "queue", "message", "kept by", "written", "tries", "why"]);
    // An id is copied to `redrive --id`, so it stays on one line, however narrow the terminal is.
    if let Some(id) = table.column_mut(0) {
        id.set_constraint(ColumnConstraint::ContentWidth);
    }
    for Letter { publisher, letter } in letters {
        let written = format!("{:.3}", letter.occurred_at);
        let (id, tries) = (letter.id.to_string(), letter.attempts.to_string());
        let (message, why) = (readable(&letter.message), readable(&letter.cause));
        table.add_row([&id, &letter.queue, &message, publisher.unwrap_or("-"), &written, &tries, &why]);
    }
    table.to_string()
}

/// Without characters that would move the cursor.
fn readable(text: &str) -> String {
    let mut short: String = text.chars().take(TEXT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use messaging::DeadLetter;

    use super::*;

    #[test]
    fn each_letter_is_a_row_that_says_what_failed_and_why() {
        let letter = DeadLetter {
            id: uuid::Uuid::from_u128(7),
            queue: "eventservice".into(),
            message: "eventBooked\u{1b}[2J".into(),
            cause: "there is no event 8\u{1b}[2J".into(),
            attempts: 1,
            occurred_at: "2026-11-21T08:00:00Z".parse().unwrap(),
            body: "{}".into(),
        };
        let text = text(&[Letter::of("bookingservice", letter)]);
        for part in ["00000000-0000-0000-0000-000000000007", "eventservice", "eventBooked", "there is no event 8"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
        assert_eq!(super::text(&[]), "There are no dead letters.");
    }
}

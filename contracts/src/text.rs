//! The rule for a text that is shown: to people, as a label, in a log line. Both services hold it, since one shows the other's names. The
//! OpenAPI documents say it in words.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Letters and symbols that are blank: fillers of Hangul, a note without a head, the empty pattern of Braille.
const BLANK: [char; 6] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}', '\u{1d159}'];

/// Says what is wrong with a text that has control characters, or characters and none that is visible.
pub fn readable(text: &str) -> Result<(), &'static str> {
    if text.chars().any(char::is_control) {
        Err("must not hold control characters")
    } else if !text.is_empty() && !text.chars().any(is_visible) {
        Err("must hold a visible character: a letter, digit, punctuation mark or symbol")
    } else {
        Ok(())
    }
}

/// Whether one sees it where it stands alone: spaces, marks that belong to another character and directions of writing are not seen.
fn is_visible(character: char) -> bool {
    use GeneralCategoryGroup::{Letter, Number, Punctuation, Symbol};
    matches!(character.general_category_group(), Letter | Number | Punctuation | Symbol) && !BLANK.contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_visible_character_and_no_control_characters() {
        for right in [
            "a",
            " a ",
            "é",
            "e\u{301}",
            "字",
            "7",
            "…",
            "💃🏽",
            "👩\u{200d}👩\u{200d}👧",
            "\u{202b}שלום\u{202c}",
            "\u{ad}-",
            "한",
        ] {
            assert!(readable(right).is_ok(), "{right:?}");
        }
        for blank in [
            " ",
            "\u{a0}",
            "\u{2003}\u{3000}",
            "\u{200b}",
            "\u{feff}",
            "\u{ad}",
            "\u{2060}",
            "\u{2800}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}\u{1160}",
            "\u{301}\u{20dd}",
            "\u{fe0f}",
            "\u{202e}\u{2066}\u{2069}",
            "\u{180e}",
            "\u{e0020}",
            "\u{2028}",
            "\u{17b4}",
            "\u{1d159}",
            "\u{e000}",
            "\u{ffff}",
        ] {
            assert!(readable(blank).unwrap_err().contains("visible"), "{blank:?}");
        }
        for control in ["a\n", "a\u{0}", "\u{7f}a", "a\u{85}b"] {
            assert!(readable(control).unwrap_err().contains("control"), "{control:?}");
        }
    }
}

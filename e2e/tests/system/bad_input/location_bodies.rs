//! `POST /locations` with a body that is wrong.

use super::{Case, To};

pub(super) fn cases() -> Vec<Case> {
    let long = format!(r#"{{"name": "a", "address": "{}", "country": "c", "halls": []}}"#, "x".repeat(501));
    let halls = vec![r#"{"name": "h", "capacity": 1}"#; 101].join(",");
    let many = format!(r#"{{"name": "a", "address": "b", "country": "c", "halls": [{halls}]}}"#);
    let mut all: Vec<(&str, String, u16, &str)> = vec![
        ("no country", r#"{"name": "a", "address": "b"}"#.into(), 400, "country"),
        ("an address too long", long, 422, "address"),
        ("101 halls", many, 422, "halls"),
    ];
    for (what, rest, status, field) in [
        ("an empty country", r#""country": """#, 422, "country"),
        ("a country with a tab", r#""country": "a\tb""#, 422, "country"),
        ("a country that is blank", r#""country": "\u00a0""#, 422, "country"),
        (
            "a hall whose name is blank",
            r#""country": "c", "halls": [{"name": "\u115f", "capacity": 1}]"#,
            422,
            "halls[0].name",
        ),
        (
            "a hall for half a person",
            r#""country": "c", "halls": [{"name": "h", "capacity": 0.5}]"#,
            400,
            "halls[0].capacity",
        ),
        ("a country twice", r#""country": "c", "country": "c""#, 400, "country"),
        ("an hour that is none", r#""country": "c", "open_time": "24:00""#, 422, "open_time"),
        ("an hour of one digit", r#""country": "c", "open_time": "9:00""#, 422, "open_time"),
        ("a time with seconds", r#""country": "c", "close_time": "09:00:00""#, 422, "close_time"),
        ("a time that is a number", r#""country": "c", "close_time": 900"#, 400, "close_time"),
        ("halls that are no list", r#""country": "c", "halls": {}"#, 400, "halls"),
        ("a hall that is a text", r#""country": "c", "halls": ["big"]"#, 400, "halls[0]"),
        ("a hall that is a list", r#""country": "c", "halls": [["h", 1]]"#, 400, "halls[0]"),
        ("a hall without a capacity", r#""country": "c", "halls": [{"name": "h"}]"#, 400, "halls[0].capacity"),
        ("a hall for nobody", r#""country": "c", "halls": [{"name": "h", "capacity": 0}]"#, 422, "halls[0].capacity"),
        (
            "a hall with an unknown field",
            r#""country": "c", "halls": [{"name": "h", "capacity": 1, "size": 1}]"#,
            400,
            "halls[0].size",
        ),
        (
            "the second hall's capacity as a text",
            r#""country": "c", "halls": [{"name": "h", "capacity": 1}, {"name": "i", "capacity": "1"}]"#,
            400,
            "halls[1].capacity",
        ),
    ] {
        all.push((what, format!(r#"{{"name": "a", "address": "b", {rest}}}"#), status, field));
    }
    let post = |(what, body, status, field): (&str, String, u16, &str)| {
        Case::post(what, To::Events, "/locations", body, status, field)
    };
    all.into_iter().map(post).collect()
}

//! `POST /events/{id}/bookings` with a body that is wrong.

use super::{Case, To};

pub(super) fn cases() -> Vec<Case> {
    let all = [
        ("", 400, "body"),
        ("2", 400, "body"),
        ("[2]", 400, "body"),
        (r#"[2, "ann"]"#, 400, "body"),
        ("{}", 400, "seats"),
        (r#"{"seats": null}"#, 400, "seats"),
        (r#"{"seats": "2"}"#, 400, "seats"),
        (r#"{"seats": 2.5}"#, 400, "seats"),
        (r#"{"seats": 2.00000000000000000001}"#, 400, "seats"),
        (r#"{"seats": 1e-1}"#, 400, "seats"),
        (r#"{"seats": 1e400}"#, 400, "seats"),
        (r#"{"seats": -0.0}"#, 422, "seats"),
        (r#"{"seats": 1.01e2}"#, 422, "seats"),
        (r#"{"seats": NaN}"#, 400, "seats"),
        (r#"{"seats": 18446744073709551616}"#, 400, "seats"),
        (r#"{"seats": 9223372036854775807}"#, 422, "seats"),
        (r#"{"seats": -9223372036854775808}"#, 422, "seats"),
        (r#"{"seats": 0}"#, 422, "seats"),
        (r#"{"seats": -1}"#, 422, "seats"),
        (r#"{"seats": 101}"#, 422, "seats"),
        (r#"{"seats": 1, "seats": 2}"#, 400, "seats"),
        (r#"{"seats": 1, "seat": 1}"#, 400, "seat"),
        (r#"{"seats": 1, "user": "ann"}"#, 400, "user"),
        (r#"{"seats": 1, "user_id": 7}"#, 400, "user_id"),
        (r#"{"seats": 1, "user_id": ""}"#, 422, "user_id"),
        (r#"{"seats": 1, "user_id": "a\u0000"}"#, 422, "user_id"),
        (r#"{"seats": 1, "user_id": "a\u0085"}"#, 422, "user_id"),
        (r#"{"seats": 1, "user_id": "\u3164\u2800"}"#, 422, "user_id"),
        (r#"{"seats": 1}{"seats": 1}"#, 400, "body"),
        (r#"{"seats": 1,}"#, 400, ""),
    ];
    let path = "/events/{event}/bookings";
    let post = |body: &str, status, field| Case::post(body, To::Bookings, path, body, status, field);
    let long = format!(r#"{{"seats": 1, "user_id": "{}"}}"#, "é".repeat(101));
    let large = format!(r#"{{"seats": 1{}}}"#, " ".repeat(64 * 1024));
    let mut cases: Vec<_> = all.into_iter().map(|(body, status, field)| post(body, status, field)).collect();
    cases.push(Case { what: "a user id too long".into(), ..post(&long, 422, "user_id") });
    cases.push(Case { what: "too large".into(), ..post(&large, 413, "") });
    cases
}

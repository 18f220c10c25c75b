//! The answer to a scrape of `/metrics`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, VARY},
};
use metrics::Answer;

/// What the request says of the form that it wants: `Accept`, and `Accept-Encoding`. Each may be there several times, which means one list.
pub fn wanted(request: &HttpRequest) -> [String; 2] {
    let list = |name: HeaderName| {
        let values = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(",")
    };
    [list(ACCEPT), list(ACCEPT_ENCODING)]
}

/// An answer in that form.
pub fn answered(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(answer.content_type).insert_header((VARY, metrics::VARY));
    if answer.gzip {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.body(answer.body)
}

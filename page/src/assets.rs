//! What the browser gets: the files of `web/`, packed into the binary by `build.rs`. Nothing is read from disk, and nothing comes from
//! anywhere else, so the page works without a network.

use std::io::Read;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderName, IF_NONE_MATCH, VARY},
    web,
};
use flate2::read::GzDecoder;
use webserver::problem::Problem;

/// A file of `web/`.
struct Asset {
    /// Its path in `web/`.
    name: &'static str,
    content_type: &'static str,
    /// Quoted, as it stands in the header.
    etag: &'static str,
    /// Its bytes, gzipped.
    gzip: &'static [u8],
}

const ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /`, and `GET /trace/{id}`: the script looks at the URL.
pub(crate) async fn index(request: HttpRequest) -> Result<HttpResponse, Problem> {
    answer(&request, "index.html")
}

/// `GET /assets/{name}`.
pub(crate) async fn asset(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Problem> {
    answer(&request, &name)
}

fn answer(request: &HttpRequest, name: &str) -> Result<HttpResponse, Problem> {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let asset = found.ok_or_else(|| Problem::not_found("there is no such file; the page is at /"))?;
    let says = |header: HeaderName, word: &str| {
        let values = request.headers().get_all(header).filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == word)
    };
    // A browser asks each time whether what it has is still right, so that nobody sees half of an older page.
    let (known, packed) = (says(IF_NONE_MATCH, asset.etag), says(ACCEPT_ENCODING, "gzip"));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, asset.etag)).insert_header((CACHE_CONTROL, "no-cache"));
    response.insert_header((VARY, ACCEPT_ENCODING.as_str()));
    if known {
        return Ok(response.finish());
    }
    response.content_type(asset.content_type);
    if packed {
        return Ok(response.insert_header((CONTENT_ENCODING, "gzip")).body(asset.gzip));
    }
    let mut plain = Vec::new();
    GzDecoder::new(asset.gzip).read_to_end(&mut plain).expect("it was packed by our own build");
    Ok(response.body(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_below_150_kilobytes_over_the_wire_and_asks_nothing_from_outside() {
        let size: usize = ASSETS.iter().map(|asset| asset.gzip.len()).sum();
        assert!(size < 150_000, "{size} bytes");
        for asset in ASSETS.iter().filter(|asset| !asset.name.starts_with("uplot/")) {
            let mut text = String::new();
            GzDecoder::new(asset.gzip).read_to_string(&mut text).unwrap();
            for outside in ["https://", "src=\"http", "url(http", "import(\"http"] {
                assert!(!text.contains(outside), "{} says {outside}", asset.name);
            }
        }
    }
}

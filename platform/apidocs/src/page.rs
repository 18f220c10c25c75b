//! The OpenAPI document as JSON, and Swagger UI as a page. The page's files are compiled in: nothing is loaded from elsewhere.
//!
//! **Workaround for utoipa-swagger-ui 10**, which compiles in all of Swagger UI (<https://github.com/juhaku/utoipa/issues/1051>, open):
//! `.cargo/config.toml` replaces three files that the page never loads. This can go when the crate leaves them out.

use std::{io::Read, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use utoipa::openapi::{OpenApi, RefOr, Server, header::Header};
use utoipa_swagger_ui::Config;

use webserver::{input::NoQuery, problem::Problem, routes::resource};

/// The document and its page; shared by all workers. Each link in them is relative, for a proxy that serves them below a path of its own.
#[derive(Clone)]
pub struct Docs {
    json: Arc<str>,
    page: Arc<Config<'static>>,
}

impl Docs {
    /// Renders the document once.
    pub fn new(api: &OpenApi) -> Self {
        let json = complete(api.clone()).to_json().expect("an OpenAPI document has only string keys");
        Self { json: json.into(), page: Arc::new(Config::from("openapi.json")) }
    }

    /// `/openapi.json`, `/docs` with its files, and `/` and `/docs/`, which redirect to it.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .service(resource("/").get(root).done())
            .service(resource("/openapi.json").get(json).done())
            .service(resource("/docs").get(page).done())
            .service(resource("/docs/").get(with_slash).done())
            .service(resource("/docs/{file}").get(file).done());
    }
}

async fn root(_: NoQuery) -> HttpResponse {
    redirect("docs")
}

async fn with_slash(_: NoQuery) -> HttpResponse {
    redirect("../docs")
}

fn redirect(to: &'static str) -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, to)).finish()
}

async fn json(docs: web::Data<Docs>, _: NoQuery) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(docs.json.to_string())
}

async fn page(docs: web::Data<Docs>, _: NoQuery) -> Result<HttpResponse, Problem> {
    // The page is at /docs and not at /docs/, so its links need the folder.
    let html = asset(&docs, "index.html")?.0;
    let html = String::from_utf8_lossy(&html).replace("\"./", "\"./docs/").replace("href=\"index", "href=\"docs/index");
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

async fn file(docs: web::Data<Docs>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("file").unwrap_or_default();
    let (bytes, content_type) = asset(&docs, name)?;
    Ok(HttpResponse::Ok().content_type(content_type).body(bytes))
}

fn asset(docs: &Docs, name: &str) -> Result<(Vec<u8>, String), Problem> {
    match utoipa_swagger_ui::serve(name, docs.page.clone()) {
        Ok(Some(file)) if file.gzpipped => Ok((unpacked(&file.bytes), file.content_type)),
        Ok(Some(file)) => Ok((file.bytes.into_owned(), file.content_type)),
        Ok(None) => Err(Problem::not_found("the page has no such file")),
        Err(cause) => {
            tracing::error!("the docs page cannot be made: {cause}");
            Err(Problem::internal())
        }
    }
}

/// The files are compiled in compressed with gzip, which makes the binary 3 MB smaller. They are sent unpacked, since not every
/// client accepts gzip, and the page is read too seldom for the time to matter.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).expect("what was packed at build time can be unpacked");
    plain
}

/// Every (method, route, status) that the document names, and the redirect to its page: the label sets that must exist before the
/// first request.
pub fn documented(api: &OpenApi) -> Vec<(String, String, String)> {
    let mut all = vec![("GET".to_owned(), "/".to_owned(), StatusCode::TEMPORARY_REDIRECT.as_str().to_owned())];
    for (route, item) in &api.paths.paths {
        for (method, operation) in [("GET", &item.get), ("POST", &item.post), ("DELETE", &item.delete)] {
            let statuses = operation.iter().flat_map(|operation| operation.responses.responses.keys());
            all.extend(statuses.map(|status| (method.to_owned(), route.clone(), status.clone())));
        }
    }
    all
}

/// Adds what OpenAPI 3.1 demands and every handler would have to repeat: a description of each response, unique operation ids, and
/// the headers that each answer has. The URLs of the document begin where the document is.
fn complete(mut api: OpenApi) -> OpenApi {
    api.servers = Some(vec![Server::new(".")]); // relative to the document; without it, it is the root of the host
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            if let (Some(id), Some([tag, ..])) = (&operation.operation_id, operation.tags.as_deref()) {
                operation.operation_id = Some(format!("{tag}_{id}"));
            }
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if response.description.is_empty() {
                    response.description = meaning(status).to_owned();
                }
                let headers = [("X-Request-Id", true), ("Retry-After", status == "503")];
                for (name, _) in headers.into_iter().filter(|(_, has)| *has) {
                    response.headers.insert(name.to_owned(), RefOr::T(Header::default()));
                }
            }
        }
    }
    api
}

/// The description of a status, if the handler has none.
fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "it is here",
        "201" => "it is stored",
        "400" => "the request does not parse",
        "404" => "there is no such thing",
        "408" => "the body did not arrive in time",
        "413" => "the body is too large",
        "415" => "the body is not JSON in UTF-8",
        "422" => "a value breaks a rule",
        "503" => "the service cannot answer just now: ask again",
        _ => "see the problem's detail",
    }
}

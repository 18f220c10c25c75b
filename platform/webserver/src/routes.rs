//! A URL with its methods. Any other method is answered with 405, and `Allow` names the methods that exist.
//!
//! Handlers are registered here and not by attributes. So a service's URLs stand in one table, and a wrong method is answered by
//! the URL that it was sent to.

use actix_web::{
    Handler, HttpRequest, HttpResponse, Resource, Responder,
    dev::HttpServiceFactory,
    http::{StatusCode, header},
    web,
};

use crate::problem::Problem;

/// Begins a URL without methods.
pub fn resource(path: &'static str) -> Routes {
    Routes { resource: web::resource(path), allow: Vec::new() }
}

/// A URL, and the methods that it has so far.
pub struct Routes {
    resource: Resource,
    allow: Vec<&'static str>,
}

impl Routes {
    /// Adds `GET`, and `HEAD`: the server sends the same head without the body.
    pub fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.extend(["GET", "HEAD"]);
        self.resource = self.resource.route(web::get().to(handler.clone())).route(web::head().to(handler));
        self
    }

    /// Adds `POST`.
    pub fn post<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.push("POST");
        self.resource = self.resource.route(web::post().to(handler));
        self
    }

    /// Adds `DELETE`.
    pub fn delete<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.push("DELETE");
        self.resource = self.resource.route(web::delete().to(handler));
        self
    }

    /// Ends the URL; any other method is a 405.
    pub fn done(self) -> impl HttpServiceFactory + 'static {
        let allow = self.allow.join(", ");
        self.resource.default_service(web::to(move |request: HttpRequest| {
            let allow = allow.clone();
            async move { Err::<HttpResponse, _>(wrong_method(&request, allow)) }
        }))
    }
}

fn wrong_method(request: &HttpRequest, allow: String) -> Problem {
    let detail = format!("{} is not possible here; {allow} is", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not possible here", detail)
        .header(header::ALLOW, allow)
}

/// The answer where no URL matches.
pub async fn nowhere() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("no such URL; /docs lists those there are"))
}

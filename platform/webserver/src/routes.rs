//! A URL with its methods. Any other method is answered with 405, and `Allow` names the methods that exist.
//!
//! Handlers are registered here and not by attributes. So a service's URLs stand in one table, and a wrong method is answered by
//! the URL that it was sent to.

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route,
    dev::HttpServiceFactory,
    http::{Method, StatusCode, header},
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
    allow: Vec<String>,
}

impl Routes {
    /// Adds `GET`, and `HEAD`: the server sends the same head without the body.
    pub fn get<Args: FromRequest + 'static>(self, handler: impl Handler<Args, Output: Responder + 'static>) -> Self {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    /// Adds `POST`.
    pub fn post<Args: FromRequest + 'static>(self, handler: impl Handler<Args, Output: Responder + 'static>) -> Self {
        self.on(Method::POST, handler)
    }

    /// Adds `DELETE`.
    pub fn delete<Args: FromRequest + 'static>(self, handler: impl Handler<Args, Output: Responder + 'static>) -> Self {
        self.on(Method::DELETE, handler)
    }

    fn on<Args: FromRequest + 'static>(
        mut self,
        method: Method,
        handler: impl Handler<Args, Output: Responder + 'static>,
    ) -> Self {
        self.allow.push(method.to_string());
        self.resource = self.resource.route(web::method(method).to(handler));
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

/// The answer where no URL matches; `hint` says which there are.
pub fn nowhere(hint: &'static str) -> Route {
    web::to(move || async move { Err::<HttpResponse, _>(Problem::not_found(format!("no such URL; {hint}"))) })
}

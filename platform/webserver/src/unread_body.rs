//! A request body that no handler has read to its end: for a wrong method, an unknown URL, a refused header.
//!
//! If the rest of the body has arrived already, it is read and thrown away, and the connection goes on. Else the answer keeps the
//! body alive while it is sent, and actix closes the connection after the answer.
//!
//! **Workaround for actix-http 3.20.** If the payload is dropped, actix answers `Connection: close` and still handles the requests
//! behind it (<https://github.com/actix/actix-web/issues/2764>), and it reads a dropped chunked body for as long as the client
//! sends (<https://github.com/actix/actix-web/pull/3936>). Only while a payload is alive, it closes the connection after the
//! answer (<https://github.com/actix/actix-web/pull/3721>). This file can go when it does so for a dropped payload, too.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    web::Bytes,
};
use futures_util::{FutureExt, Stream, StreamExt};

use super::input::BODY_MAX;

/// The body of a request. The handler that reads it and the answer share it.
#[derive(Clone)]
pub(crate) struct SharedBody(Rc<Body>);

struct Body {
    payload: RefCell<Payload>,
    ended: Cell<bool>,
}

impl SharedBody {
    /// Takes the body of a request, if there is one, and gives the request a share of it.
    pub(crate) fn share(request: &mut ServiceRequest) -> Option<Self> {
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let body = Self(Rc::new(Body { payload: RefCell::new(payload), ended: Cell::new(false) }));
        request.set_payload(Payload::Stream { payload: Box::pin(body.clone()) });
        Some(body)
    }

    /// Reads what is left of the body, or makes the answer keep it alive.
    pub(crate) async fn attach_to(mut self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        if self.drain().await {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(AnswerWithBody { answer: body, _request_body: self }))
    }

    /// Reads what the server has received of the body; says whether it ends there. actix decodes more of what it has received
    /// when this task pauses once.
    async fn drain(&mut self) -> bool {
        let (mut read, mut paused) = (0, false);
        while !self.0.ended.get() && read <= BODY_MAX {
            match self.next().now_or_never() {
                Some(Some(Ok(piece))) => (read, paused) = (read + piece.len(), false),
                Some(_) => {}
                None if paused => return false,
                None => {
                    paused = true;
                    tokio::task::yield_now().await;
                }
            }
        }
        self.0.ended.get()
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.0.ended.set(true);
        }
        polled
    }
}

/// The body of an answer that keeps the body of its request alive.
struct AnswerWithBody {
    answer: BoxBody,
    _request_body: SharedBody,
}

impl MessageBody for AnswerWithBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

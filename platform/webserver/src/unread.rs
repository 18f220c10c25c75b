//! A body that nobody read to its end: a wrong method, an unknown URL, a refused header.
//!
//! If the rest of it is there already, it is read away: actix would answer `Connection: close` and then go on with the
//! requests behind it all the same. Else the answer keeps hold of it: actix drops a body in chunks and then reads on for
//! as long as the client sends, but while somebody could still read it, it closes the connection behind the answer.

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

/// The body of a request, held by who reads it and by the answer.
#[derive(Clone)]
pub(crate) struct Held(Rc<Body>);

struct Body {
    payload: RefCell<Payload>,
    ended: Cell<bool>,
}

/// Takes hold of the body, if there is one.
pub(crate) fn hold(request: &mut ServiceRequest) -> Option<Held> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return None;
    }
    let held = Held(Rc::new(Body { payload: RefCell::new(payload), ended: Cell::new(false) }));
    request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
    Some(held)
}

impl Held {
    /// Makes an answer ready to be sent.
    pub(crate) async fn behind(mut self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        if self.is_here().await {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(Answer { body, _held: self }))
    }

    /// Whether the body ends in what the server has received. To pause once lets actix decode what that is.
    async fn is_here(&mut self) -> bool {
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

impl Stream for Held {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.0.ended.set(true);
        }
        polled
    }
}

struct Answer {
    body: BoxBody,
    _held: Held,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

//! A small server: the ops port, and the programs beside the services. They have few requests and count none of them, so one thread
//! accepts connections and answers requests.
//!
//! It has the same protection against slow clients as REST: a limit on connections, and timeouts for heads and bodies.
//!
//! **Workaround for actix-server 2.10**, which always accepts on a thread of its own, beside the workers. The thread budget
//! (`process::threads`) has no room for a second thread here. No report was found in the issues of actix-web and actix-net. The
//! thread's own loop can go when `Server::build()` can accept on a worker's thread.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_service::ServiceFactory;
use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    rt, web,
};
use process::threads;
use tokio::{
    sync::{Semaphore, oneshot},
    task::{JoinSet, LocalSet},
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    connection_limits::Limits, input::SharedBody, origin, server::connection_service, timed_stream::ConnectionState,
};

/// The limits of the programs beside the services.
pub const LIMITS: Limits = Limits::small(256);

/// The pause after a failure to accept. The usual cause is a lack of file descriptors; they come back when connections end.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(500);

/// A server that answers. It stops when this is dropped.
pub struct SmallServer {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    stop: DropGuard,
    ended: oneshot::Receiver<()>,
}

impl SmallServer {
    /// Starts it; `name` is the thread's. `configure` says what it answers, and runs on that thread.
    pub fn start<F>(limits: Limits, listener: TcpListener, name: &str, configure: F) -> io::Result<Self>
    where
        F: FnOnce(&mut web::ServiceConfig) + Send + 'static,
    {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = threads::runtime()?;
        let stop = CancellationToken::new();
        let (stopped, (report_end, ended)) = (stop.clone(), oneshot::channel());
        std::thread::Builder::new().name(name.into()).spawn(move || {
            let local = LocalSet::new();
            let served = local.block_on(&runtime, async {
                let app = App::new().configure(configure).wrap(from_fn(guard));
                let signal = stopped.clone();
                let stopping = move || signal.clone().cancelled_owned();
                let service =
                    connection_service(app, limits.connections, limits.timeouts, stopping).new_service(()).await;
                let service = service.map_err(|()| io::Error::other("the application cannot be made"))?;
                accept(listener, service, &limits, &stopped).await
            });
            if let Err(cause) = served {
                tracing::error!("a server has ended: {cause}");
            }
            drop(local);
            runtime.shutdown_background(); // a name lookup that hangs must not delay the end
            let _ = report_end.send(()); // nobody may wait for it
        })?;
        Ok(Self { address, stop: stop.drop_guard(), ended })
    }

    /// Stops accepting. Requests that are being handled are finished, within the time in the limits.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = self.ended.await; // an error means that it has ended, too
    }
}

/// The protection against slow clients that REST has from the middleware `observe`, and that against web pages of others.
async fn guard(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let handling = ConnectionState::handling(&request)?;
    let body = SharedBody::share(&mut request);
    let mut response = match origin::check(&request) {
        Ok(()) => next.call(request).await?,
        Err(foreign) => request.error_response(foreign),
    };
    handling.iter().for_each(|handling| handling.answers(response.response_mut().head_mut()));
    let response = SharedBody::attach(body, response).await;
    Ok(match handling {
        Some(handling) => handling.keep(response),
        None => response,
    })
}

async fn accept<S>(listener: TcpListener, service: S, limits: &Limits, stop: &CancellationToken) -> io::Result<()>
where
    S: Service<rt::net::TcpStream> + 'static,
{
    let listener = rt::net::TcpListener::from_std(listener)?;
    let (service, permits) = (Rc::new(service), Arc::new(Semaphore::new(limits.connections.max(1))));
    let mut connections = JoinSet::new();
    let next = async |permits: Arc<Semaphore>| {
        let permit = permits.acquire_owned().await.expect("it is never closed");
        Ok::<_, io::Error>((listener.accept().await?.0, permit))
    };
    while let Some(accepted) = stop.run_until_cancelled(next(permits.clone())).await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, permit)) => {
                let service = service.clone();
                connections.spawn_local(async move {
                    let _ = service.call(stream).await; // an error is the client's fault, so it is not logged
                    drop(permit);
                });
            }
            Err(_) => sleep(ACCEPT_RETRY_DELAY).await,
        }
    }
    drop(listener);
    let began = Instant::now();
    let drain = Duration::from_secs(limits.drain_seconds);
    while let Ok(Some(_)) = timeout(drain.saturating_sub(began.elapsed()), connections.join_next()).await {}
    Ok(())
}

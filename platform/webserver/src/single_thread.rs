//! A server on one thread, which accepts connections and answers requests: the ops port, and the programs beside the services.
//!
//! **Workaround for actix-server 2.10**, which always accepts on a thread of its own, beside the workers. The thread budget
//! (`process::threads`) has no room for a second thread here. No report was found in the issues of actix-web and actix-net. This
//! file can go when `Server::build()` can accept on a worker's thread.

use std::{
    fmt, io,
    net::TcpListener,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Service},
    rt,
};
use process::threads;
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{connection_limits::Limits, server::connection_service};

/// The pause after a failure to accept. The usual cause is a lack of file descriptors; they come back when connections end.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(500);

/// A server that answers. It stops when this is dropped.
pub(crate) struct SingleThreadServer {
    stop: DropGuard,
    ended: oneshot::Receiver<()>,
}

impl SingleThreadServer {
    /// Starts it; `name` is the thread's. `app` makes the application on that thread.
    pub(crate) fn start<F, A, S, B>(listener: TcpListener, name: &str, limits: Limits, app: F) -> io::Result<Self>
    where
        F: FnOnce() -> A + Send + 'static,
        A: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error> + 'static,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>> + 'static,
        <S::Service as Service<Request>>::Future: 'static,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        listener.set_nonblocking(true)?;
        let runtime = threads::runtime()?;
        let stop = CancellationToken::new();
        let (stopped, (report_end, ended)) = (stop.clone(), oneshot::channel());
        std::thread::Builder::new().name(name.into()).spawn(move || {
            let timeouts = limits.timeouts;
            let served = rt::Runtime::from(runtime).block_on(async {
                let signal = stopped.clone();
                let stopping = move || signal.clone().cancelled_owned();
                let service = connection_service(app(), timeouts, stopping).new_service(()).await;
                let service = service.map_err(|()| io::Error::other("the application cannot be made"))?;
                accept(listener, service, &limits, &stopped).await
            });
            if let Err(cause) = served {
                tracing::error!("a server has ended: {cause}");
            }
            let _ = report_end.send(()); // nobody may wait for it
        })?;
        Ok(Self { stop: stop.drop_guard(), ended })
    }

    /// Stops accepting. Requests that are being handled are finished, within the time in the limits.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let _ = self.ended.await; // an error means that it has ended, too
    }
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

//! A server on one thread, which accepts and answers. actix would take two, and a service has none to spare
//! (`threads.rs`).

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

use super::serve::{Limits, connection};

/// After a failure to accept, which is mostly a lack of descriptors: those come back only when connections end.
const PAUSE: Duration = Duration::from_millis(500);

/// A server that answers. It stops when this is dropped.
pub(crate) struct Alone {
    stop: DropGuard,
    ended: oneshot::Receiver<()>,
}

impl Alone {
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
        let (stopped, (tell, ended)) = (stop.clone(), oneshot::channel());
        std::thread::Builder::new().name(name.into()).spawn(move || {
            let patience = limits.patience;
            let served = rt::Runtime::from(runtime).block_on(async {
                let signal = stopped.clone();
                let stopping = move || signal.clone().cancelled_owned();
                let service = connection(app(), patience, stopping).new_service(()).await;
                let service = service.map_err(|()| io::Error::other("the application cannot be made"))?;
                accept(listener, service, &limits, &stopped).await
            });
            if let Err(cause) = served {
                tracing::error!("a server has ended: {cause}");
            }
            let _ = tell.send(()); // nobody may wait for it
        })?;
        Ok(Self { stop: stop.drop_guard(), ended })
    }

    /// No new connections; what is in flight is finished, for the time in the limits.
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
    let (service, places) = (Rc::new(service), Arc::new(Semaphore::new(limits.connections.max(1))));
    let mut connections = JoinSet::new();
    let next = async |places: Arc<Semaphore>| {
        let place = places.acquire_owned().await.expect("it is never closed");
        Ok::<_, io::Error>((listener.accept().await?.0, place))
    };
    while let Some(accepted) = stop.run_until_cancelled(next(places.clone())).await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, place)) => {
                let service = service.clone();
                connections.spawn_local(async move {
                    let _ = service.call(stream).await; // a client's fault, and no news
                    drop(place);
                });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
    drop(listener);
    let began = Instant::now();
    let drain = Duration::from_secs(limits.drain_seconds);
    while let Ok(Some(_)) = timeout(drain.saturating_sub(began.elapsed()), connections.join_next()).await {}
    Ok(())
}

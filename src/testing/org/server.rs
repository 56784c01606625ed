//! The org's socket: HTTP/1.1 with keep-alive on a thread of its own, and the faults that happen on the wire.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::state::{Reply, State};
use super::wire::{Answer, Request};

/// A listening org. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// Binds the loopback interface; port 0 takes a free one.
pub(crate) fn bind(port: u16) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    pub(crate) fn start(listener: std::net::TcpListener, state: Arc<Mutex<State>>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let serve = async {
                // Only fails outside a runtime.
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                futures_util::future::select(pin!(accept(listener, state)), stopped).await;
            };
            // Connections are tasks of this runtime and end with it.
            runtime.block_on(serve);
        };
        let thread = std::thread::Builder::new().name("mock-org".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The receiver sees the sender go.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    loop {
        // Out of file descriptors, most likely: let others finish.
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let reset = Arc::new(AtomicBool::new(false));
        let socket = Socket { stream, reset: Arc::clone(&reset) };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| respond(Arc::clone(&state), Arc::clone(&reset), port, request));
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        tokio::spawn(async move {
            // Clients go when they like, and faults end connections on purpose.
            let _ = connection.await;
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the mock org is another system; it waits on real time")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn respond(
    state: Arc<Mutex<State>>,
    reset: Arc<AtomicBool>,
    port: u16,
    request: hyper::Request<Incoming>,
) -> io::Result<hyper::Response<OrgBody>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let request = Request::new(head.method, &target, head.headers, body, port);
    let outcome = state.lock().unwrap_or_else(PoisonError::into_inner).handle(&request);
    let _held = Held { state, records: outcome.held, runs: outcome.runs };
    if !outcome.delay.is_zero() {
        sleep(outcome.delay).await;
    }
    match outcome.reply {
        Reply::Answer(answer) => response(&answer, OrgBody::whole(answer.body.clone()), true),
        Reply::Truncated { answer, bytes, chunked } => {
            let sent = answer.body.slice(..bytes.min(answer.body.len()));
            response(&answer, OrgBody::cut(sent), !chunked)
        }
        Reply::Never => std::future::pending().await,
        Reply::Reset => {
            reset.store(true, Ordering::Relaxed);
            Err(io::Error::other("reset by script"))
        }
    }
}

/// The locks of a request whose answer is not on its way yet, and its place among the running ones; gone as well when the client
/// gives up.
struct Held {
    state: Arc<Mutex<State>>,
    records: Vec<String>,
    runs: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.runs || !self.records.is_empty() {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.data.locks.release(&self.records);
            state.knobs.running -= usize::from(self.runs);
        }
    }
}

fn response(answer: &Answer, body: OrgBody, with_length: bool) -> io::Result<hyper::Response<OrgBody>> {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    // 204 and 304 have no body, and so no length.
    if with_length && !matches!(answer.status, 204 | 304) {
        response = response.header("Content-Length", answer.body.len());
    }
    response.body(body).map_err(io::Error::other)
}

/// The body of an answer; one that is cut ends in an error, upon which hyper closes the connection.
struct OrgBody {
    bytes: Bytes,
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl OrgBody {
    fn whole(bytes: Bytes) -> Self {
        Self { bytes, cut: None }
    }

    /// The pause lets the bytes before it reach the socket.
    fn cut(bytes: Bytes) -> Self {
        Self { bytes, cut: Some(Box::pin(sleep(Duration::from_millis(20)))) }
    }
}

impl Body for OrgBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        match &mut self.cut {
            None => Poll::Ready(None),
            Some(pause) => {
                ready!(pause.as_mut().poll(context));
                Poll::Ready(Some(Err(io::Error::other("cut by script"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // Of a cut body the size is not known: its head says what the whole would have.
        if self.cut.is_some() { SizeHint::default() } else { SizeHint::with_exact(self.bytes.len() as u64) }
    }
}

/// A connection that can be told to end with a reset.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Closing without lingering sends RST in place of FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

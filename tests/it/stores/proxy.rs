//! A way to PostgreSQL that can be blocked, cut and slowed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everything passes.
    Open,
    /// Connections are cut, and new ones closed at once.
    Cut,
    /// Nothing passes, nothing is closed.
    Stalled,
    /// `COMMIT` reaches the server; its answer does not come back, and the connection is cut.
    CommitAnswerLost,
    /// The connection is cut before `COMMIT` reaches the server.
    CommitLost,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Proxy {
    pub(crate) async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (way, seen) = watch::channel(Way::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, server.clone(), seen.clone()));
            }
        });
        Self { address, way }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn connection(client: TcpStream, server: String, way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Cut {
        return;
    }
    let server = TcpStream::connect(server).await.expect("PostgreSQL is there");
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut cut = way.clone();
    let committing = AtomicBool::new(false);
    tokio::select! {
        () = pass(from_client, to_server, way.clone(), &committing, true) => {}
        () = pass(from_server, to_client, way, &committing, false) => {}
        // An error means that the test is over.
        _ = cut.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    committing: &AtomicBool,
    outward: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let part = &buffer[..read];
        // As a statement of its own: `read committed` stands in another.
        let commits = outward && part.windows(7).any(|word| word == b"COMMIT\0");
        let now = *way.borrow();
        match now {
            Way::CommitLost if commits => return,
            Way::CommitAnswerLost if commits => committing.store(true, Ordering::Relaxed),
            // This is the answer.
            _ if !outward && committing.load(Ordering::Relaxed) => return,
            Way::Stalled => drop(way.wait_for(|way| *way != Way::Stalled).await),
            _ => {}
        }
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}

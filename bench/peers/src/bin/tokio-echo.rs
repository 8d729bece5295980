//! An echo server on tokio: a task for each connection, one thread or several.

use std::io;

use peers::{Arguments, BUFFER, announce, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

fn main() -> io::Result<()> {
    let arguments = Arguments::read()?;
    let listener = listen(arguments.bind)?;
    announce(&listener, "tokio", arguments.threads)?;
    let runtime = match arguments.threads {
        1 => Builder::new_current_thread().enable_io().build()?,
        threads => Builder::new_multi_thread().worker_threads(threads).enable_io().build()?,
    };
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        // With several threads the listener has a task of its own, so that it runs on a worker.
        tokio::spawn(accept(listener)).await?
    })
}

async fn accept(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

//! An echo server on monoio's io_uring driver: a task for each connection, one thread.

use std::io;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder};
use peers::{Arguments, BUFFER, announce, listen};

fn main() -> io::Result<()> {
    let arguments = Arguments::read()?;
    let listener = listen(arguments.bind)?;
    announce(&listener, "monoio", 1)?;
    let mut runtime = RuntimeBuilder::<IoUringDriver>::new().with_entries(4096).build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            monoio::spawn(echo(stream));
        }
    })
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let (received, filled) = stream.read(buffer).await;
        if !matches!(received, Ok(1..)) {
            return;
        }
        let (sent, mut filled) = stream.write_all(filled).await;
        if sent.is_err() {
            return;
        }
        filled.clear();
        buffer = filled;
    }
}

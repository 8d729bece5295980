//! An echo server on compio: a task for each connection, one thread.

use std::io;

use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::{BufResult, runtime};
use peers::{Arguments, BUFFER, announce, listen};

fn main() -> io::Result<()> {
    let arguments = Arguments::read()?;
    let listener = listen(arguments.bind)?;
    announce(&listener, "compio", 1)?;
    runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            runtime::spawn(echo(stream)).detach();
        }
    })
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let BufResult(received, filled) = stream.read(buffer).await;
        if !matches!(received, Ok(1..)) {
            return;
        }
        let BufResult(sent, mut filled) = stream.write_all(filled).await;
        if sent.is_err() {
            return;
        }
        filled.clear();
        buffer = filled;
    }
}

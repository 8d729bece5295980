//! `winsock serve`: an echo server, by any of the models.

mod completion_port;
mod registry;
mod tally;
mod thread_per_client;
mod watch;

use std::net::SocketAddr;
use std::time::Duration;

use winsock::{Listener, TcpSocket};

use self::tally::Tally;
use self::watch::{Limit, Watch};
use crate::failure::Failure;
use crate::model::Model;
use crate::os;
use crate::out::say;
use crate::probe;

/// What one receive takes at most: each thread has one buffer of this size.
const BUFFER: usize = 64 * 1024;
/// How long connections may take to end after a signal; a second signal ends them at once.
const DEADLINE: Duration = Duration::from_secs(5);

/// Serve an echo: whatever a client sends comes back to it.
///
/// Prints one line when it listens, and one with what it did when it ends. SIGINT or SIGTERM stops
/// it gracefully: no more connections, what was received is sent back, then every connection is
/// closed, after 5 seconds by force; a second signal does not wait.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How the server hears about its sockets
    #[arg(long, value_enum)]
    model: Model,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5150")]
    bind: SocketAddr,

    /// Threads that wait on the completion port, one for each core by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,

    /// Send this line to every client first
    #[arg(long, value_name = "TEXT")]
    greeting: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  winsock serve --model completion-port
  winsock serve --model completion-port --threads 1 --bind 0.0.0.0:7
  winsock serve --model thread-per-client --greeting 'hello'";

/// What a model serves.
struct Service {
    listener: Listener,
    greeting: Vec<u8>,
    threads: u32,
    limit: Limit,
    watch: Watch,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let threads = threads(args)?;
    let backend = probe::backend()?;
    let limit = os::raise_descriptor_limit()
        .map_err(|error| Failure::of("cannot raise the descriptor limit", error))?;
    let cannot = |error| Failure::of(format_args!("cannot listen on {}", args.bind), error);
    let listener = listen(args.bind).map_err(cannot)?;
    let at = listener.local_addr().map_err(cannot)?;
    let greeting = args.greeting.as_deref().map(crate::greeting).unwrap_or_default();
    let limit = Limit(limit);
    let service = Service { listener, greeting, threads, limit, watch: Watch::start()? };

    let model = args.model;
    let ready =
        || say(format_args!("listening on {at} model={model} backend={backend} threads={threads}"));
    let tally = match model {
        Model::CompletionPort => completion_port::serve(service, ready)?,
        Model::ThreadPerClient => thread_per_client::serve(service, ready)?,
    };
    let Tally { connections, messages, bytes, errors } = tally;
    say(format_args!(
        "served connections={connections} messages={messages} bytes={bytes} errors={errors}"
    ))
}

fn threads(args: &Args) -> Result<u32, Failure> {
    match (args.model, args.threads) {
        (Model::CompletionPort, Some(threads)) => Ok(threads),
        (Model::CompletionPort, None) => {
            Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32))
        }
        // The one that accepts; each client adds its own.
        (Model::ThreadPerClient, None) => Ok(1),
        (Model::ThreadPerClient, Some(_)) => {
            Err(Failure::Usage("--threads is for --model completion-port".into()))
        }
    }
}

fn listen(at: SocketAddr) -> winsock::Result<Listener> {
    let socket = TcpSocket::for_address(at)?;
    // Accepted connections inherit it.
    socket.set_nodelay(true)?;
    socket.bind(at)?;
    socket.listen(u32::MAX)
}

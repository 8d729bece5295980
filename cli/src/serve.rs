//! `winsock serve`: an echo server, by any of the models.

mod acceptor;
mod bound;
mod completion;
mod completion_port;
mod crowd;
mod groups;
mod readiness;
mod registry;
mod tally;
mod thread_per_client;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use winsock::{EventSet, Listener, MessageLoop, OverlappedSet, ReadySet, Routines, TcpSocket};

use self::groups::Deals;
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

    /// Threads that share the clients, one for each core by default. Not for event-select and
    /// overlapped-event, which start one for every 63 clients, nor for thread-per-client
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
    greeting: Arc<[u8]>,
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
    let greeting = args.greeting.as_deref().map(crate::greeting).unwrap_or_default().into();
    let limit = Limit(limit);
    let service = Service { listener, greeting, threads, limit, watch: Watch::start()? };

    let model = args.model;
    let ready =
        || say(format_args!("listening on {at} model={model} backend={backend} threads={threads}"));
    let evenly = Deals::Evenly(threads as usize);
    let tally = match model {
        Model::Select => groups::serve(service, readiness::work::<ReadySet<_, _>>, evenly, ready),
        Model::AsyncSelect => {
            groups::serve(service, readiness::work::<MessageLoop<_, _>>, evenly, ready)
        }
        Model::EventSelect => {
            let filling = Deals::Filling(EventSet::<()>::MAX);
            groups::serve(service, readiness::work::<EventSet<_, _>>, filling, ready)
        }
        Model::OverlappedEvent => {
            let filling = Deals::Filling(OverlappedSet::<()>::MAX);
            groups::serve(service, bound::work::<OverlappedSet<_>>, filling, ready)
        }
        Model::CompletionRoutine => {
            groups::serve(service, bound::work::<Routines<_>>, evenly, ready)
        }
        Model::CompletionPort => completion_port::serve(service, ready),
        Model::ThreadPerClient => thread_per_client::serve(service, ready),
    }?;
    let Tally { connections, messages, bytes, errors } = tally;
    say(format_args!(
        "served connections={connections} messages={messages} bytes={bytes} errors={errors}"
    ))
}

fn threads(args: &Args) -> Result<u32, Failure> {
    match (args.model, args.threads) {
        (
            Model::Select | Model::AsyncSelect | Model::CompletionRoutine | Model::CompletionPort,
            threads,
        ) => {
            let cores = || std::thread::available_parallelism().map_or(1, usize::from);
            Ok(threads.unwrap_or_else(|| cores() as u32))
        }
        // As many as it takes: this is the first.
        (Model::EventSelect | Model::OverlappedEvent | Model::ThreadPerClient, None) => Ok(1),
        (model, Some(_)) => Err(Failure::Usage(format!(
            "--threads is not for {model}, which starts as many threads as its clients need"
        ))),
    }
}

fn listen(at: SocketAddr) -> winsock::Result<Listener> {
    let socket = TcpSocket::for_address(at)?;
    // Accepted connections inherit it.
    socket.set_nodelay(true)?;
    socket.bind(at)?;
    socket.listen(u32::MAX)
}

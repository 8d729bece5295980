//! A server that runs, whatever runs it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Killed when it is dropped.
pub struct Server {
    child: Child,
    pub at: SocketAddr,
    /// Its first line, without the port, which is another every time.
    pub greeting: String,
    /// What else it printed, once it has ended.
    rest: Receiver<String>,
}

impl Server {
    /// Starts it on a free port, and waits until it listens.
    pub fn start(mut command: Command) -> Result<Server, String> {
        command.args(["127.0.0.1", "0", "1"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (sender, rest) = mpsc::channel();
        let at = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, at, greeting: String::new(), rest };
        let mut out = BufReader::new(server.child.stdout.take().ok_or("no standard output")?);
        thread::spawn(move || {
            let (mut first, mut others) = (String::new(), String::new());
            // An empty line is no greeting, which is how a failure shows.
            let _ = out.read_line(&mut first);
            let _ = sender.send(first);
            let _ = out.read_to_string(&mut others);
            let _ = sender.send(others);
        });
        let first = server.rest.recv_timeout(PATIENCE).map_err(|_| "it does not listen")?;
        let line = first.trim_end();
        let (at, model) = line
            .strip_prefix("listening on ")
            .and_then(|line| line.split_once(' '))
            .ok_or_else(|| format!("it said {line:?} when it should listen"))?;
        server.at = at.parse().map_err(|_| format!("no address: {at:?}"))?;
        server.greeting = format!("listening on {} {model}", server.at.ip());
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Presses Ctrl+C.
    pub fn interrupt(&self) -> Result<(), String> {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &self.child.id().to_string()]);
        super::succeed(kill)
    }

    /// Waits for its end, and tells what it left: its code, and what else it had printed.
    pub fn end(mut self) -> Result<String, String> {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if start.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(10));
                }
                Ok(None) => return Err("it does not end at Ctrl+C".into()),
                Err(error) => return Err(error.to_string()),
            }
        };
        let rest = self.rest.recv_timeout(PATIENCE).unwrap_or_default();
        Ok(format!("ended with {:?}, {rest:?}", status.code()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What fails here has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

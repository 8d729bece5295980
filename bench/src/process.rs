//! Servers and loads as processes, and the cores they run on.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;

/// A server that listens, and is killed at the end.
pub struct Server {
    child: Child,
    pub at: String,
    /// Processes that work for it.
    pub others: Vec<u32>,
    _out: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a command that lacks only where to listen.
    pub fn spawn(command: &mut Command) -> Outcome<Server> {
        command.args(["--bind", "127.0.0.1:0"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("stdout is a pipe")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        match line.split_whitespace().nth(2) {
            Some(at) => Ok(Server { child, at: at.into(), others: Vec::new(), _out: out }),
            None => Err("it did not start to listen".into()),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it did.
    pub fn end(mut self) -> Outcome<()> {
        ask_to_end(self.child.id())?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What fails here has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the load has seen.
pub struct Report {
    pub messages: f64,
    pub per_second: f64,
    pub cpu_us: f64,
    /// Microseconds: p50, p99, p99.9.
    pub latency: [f64; 3],
    /// Bytes of user-space memory that the connections cost, each.
    pub memory: f64,
}

/// Loads the server; bytes that come back wrong end the run.
pub fn load(winsock: &Path, server: &Server, load: &[&str], seconds: f64) -> Outcome<Report> {
    let mut command = Command::new(winsock);
    command.args(["load", "--json", "--connect", &server.at]).args(load);
    command.args(["--seconds", &seconds.to_string()]);
    for pid in [server.pid()].iter().chain(&server.others) {
        command.args(["--server-pid", &pid.to_string()]);
    }
    let output = command.stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("the load met errors").into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let number = |path: &str| {
        let value = report.pointer(path).and_then(Value::as_f64);
        value.ok_or_else(|| format!("the load's report lacks {path}"))
    };
    let grown = number("/server/memory")? - number("/server/memory_before")?;
    Ok(Report {
        messages: number("/messages")?,
        per_second: number("/messages_per_second")?,
        cpu_us: number("/server/cpu_us_per_message")?,
        latency: [
            number("/latency_us/p50")?,
            number("/latency_us/p99")?,
            number("/latency_us/p99_9")?,
        ],
        memory: grown.max(0.0) / number("/connections")?,
    })
}

/// Keeps this process, and those that it starts from now on, on these cores.
pub fn pin(cores: &[usize]) -> io::Result<()> {
    pin_process(0, cores)
}

/// `pid`: 0 for this thread.
pub fn pin_process(pid: u32, cores: &[usize]) -> io::Result<()> {
    // SAFETY: all-zero is an empty set; the cores came from `online_cores`, so they are below the
    // size of the set, which lives through the call.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        cores.iter().for_each(|&core| libc::CPU_SET(core, &mut set));
        libc::sched_setaffinity(pid as libc::pid_t, size_of_val(&set), &set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn ask_to_end(pid: u32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    match unsafe { libc::kill(pid as libc::pid_t, libc::SIGTERM) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks a process that is not our child to end, and waits a while until it did.
pub fn end(pid: u32) -> io::Result<()> {
    ask_to_end(pid)?;
    for _ in 0..50 {
        if !Path::new(&format!("/proc/{pid}")).exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The cores that this process may run on.
pub fn online_cores() -> Outcome<Vec<usize>> {
    // SAFETY: all-zero is an empty set, and it lives through the call.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&set), &mut set);
        set
    };
    // SAFETY: the numbers are below the size of the set.
    let allowed = |core: &usize| unsafe { libc::CPU_ISSET(*core, &set) };
    Ok((0..libc::CPU_SETSIZE as usize).filter(allowed).collect())
}

/// Kernel and processor.
pub fn machine() -> Outcome<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    Ok(format!("Linux {}, {model}, {} cores", release.trim(), online_cores()?.len()))
}

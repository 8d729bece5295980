//! What a message costs the servers, natively and under Wine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Server;
use super::{Kit, Way, stem};
use crate::tree;

/// Server and load have a core each, if there are two.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Takes turns, so that what else the machine does meets both, and prints Markdown.
pub fn run(kit: &Kit, sources: &[PathBuf], rounds: usize, seconds: f64) -> crate::Outcome {
    println!("| 64 B, 50 connections, CPU µs per message | native | Wine and its server | ÷ |");
    println!("|---|---|---|---|");
    for source in sources {
        let programs = [Way::Native, Way::Wine].map(|way| (way, kit.compile(source, way)));
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((way, program), figures) in programs.iter().zip(&mut figures) {
                let program = program.as_ref().map_err(Clone::clone)?;
                figures.push(measure(kit, program, *way, seconds)?);
            }
        }
        let [native, wine] = figures.map(median);
        println!("| {} | {native:.2} | {wine:.2} | {:.1} |", stem(source), wine / native);
    }
    Ok(())
}

fn measure(kit: &Kit, program: &Path, way: Way, seconds: f64) -> Result<f64, String> {
    let server = Server::start(pinned(SERVER_CORE, &kit.command(program, way)))?;
    let mut load = Command::new(&kit.winsock);
    load.args(["load", "--json", "--connections", "50", "--size", "64", "--connect"]);
    load.arg(server.at.to_string()).arg("--seconds").arg(seconds.to_string());
    load.arg("--server-pid").arg(server.pid().to_string());
    if way == Way::Wine {
        let wineserver = wineserver().ok_or("there is no wineserver")?.to_string();
        super::succeed({
            let mut taskset = Command::new("taskset");
            taskset.args(["-apc", SERVER_CORE, &wineserver]).stdout(std::process::Stdio::null());
            taskset
        })?;
        load.arg("--server-pid").arg(wineserver);
    }
    let output = pinned(LOAD_CORE, &load).output().map_err(|error| error.to_string())?;
    let report = String::from_utf8_lossy(&output.stdout);
    let figure = report.split_once("\"cpu_us_per_message\":").and_then(|(_, rest)| {
        let end = rest.find([',', '}'])?;
        rest[..end].trim().parse().ok()
    });
    figure.ok_or_else(|| format!("the load said {report}"))
}

/// The same command, on one core.
fn pinned(core: &str, command: &Command) -> Command {
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", core]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => taskset.env(name, value),
            None => taskset.env_remove(name),
        };
    }
    taskset
}

/// The one of our prefix, whose work is charged to the server.
fn wineserver() -> Option<u32> {
    let prefix = tree::target_dir().join("wine/prefix");
    let variable = format!("WINEPREFIX={}", prefix.display());
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let ours = read("environ").split(|&byte| byte == 0).any(|it| it == variable.as_bytes());
        ours && read("comm").starts_with(b"wineserver")
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

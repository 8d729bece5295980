//! What the clients do.

/// One kind of load.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub name: &'static str,
    /// For the heading of its table.
    pub title: &'static str,
    /// Arguments of `winsock load`.
    pub load: &'static [&'static str],
    /// Of the servers, which then have all cores.
    pub threads: usize,
    /// What a message is in this cell.
    pub unit: &'static str,
}

const fn cell(name: &'static str, title: &'static str, load: &'static [&'static str]) -> Cell {
    Cell { name, title, load, threads: 1, unit: "message" }
}

pub const ALL: &[Cell] = &[
    cell("64x1", "64 B, 1 connection", &["--connections", "1", "--size", "64"]),
    cell("64x50", "64 B, 50 connections", &["--connections", "50", "--size", "64"]),
    cell("64x1000", "64 B, 1,000 connections", &["--connections", "1000", "--size", "64"]),
    cell("64x10000", "64 B, 10,000 connections", &["--connections", "10000", "--size", "64"]),
    cell("1Kx50", "1 KiB, 50 connections", &["--connections", "50", "--size", "1024"]),
    cell("1Kx1000", "1 KiB, 1,000 connections", &["--connections", "1000", "--size", "1024"]),
    cell("16Kx50", "16 KiB, 50 connections", &["--connections", "50", "--size", "16384"]),
    cell("16Kx1000", "16 KiB, 1,000 connections", &["--connections", "1000", "--size", "16384"]),
    cell(
        "depth16",
        "64 B, 50 connections, 16 messages under way on each",
        &["--connections", "50", "--size", "64", "--depth", "16"],
    ),
    Cell {
        unit: "connection",
        ..cell(
            "churn",
            "connect, one message of 64 B, close; 50 at a time",
            &["--connections", "50", "--size", "64", "--churn"],
        )
    },
    cell(
        "fixed",
        "64 B, 19,500 connections, 20,000 messages/s in all",
        &["--connections", "19500", "--size", "64", "--rate", "20000"],
    ),
    Cell {
        threads: 2,
        ..cell(
            "64x50-2",
            "64 B, 50 connections, servers of two threads",
            &["--connections", "50", "--size", "64"],
        )
    },
    Cell {
        threads: 2,
        ..cell(
            "64x1000-2",
            "64 B, 1,000 connections, servers of two threads",
            &["--connections", "1000", "--size", "64"],
        )
    },
];

pub fn named(name: &str) -> Result<&'static Cell, String> {
    ALL.iter().find(|cell| cell.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|cell| cell.name).collect();
        format!("the cells are {}", names.join(", "))
    })
}

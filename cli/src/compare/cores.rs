//! Where server and load run: side by side, if there are two cores.

use std::fmt;

use crate::failure::Failure;
use crate::os;

/// Which core the server runs on, and which the load.
pub struct Cores {
    pair: Option<(usize, usize)>,
}

impl Cores {
    pub fn choose() -> Cores {
        match os::allowed_cores()[..] {
            [server, load, ..] => Cores { pair: Some((server, load)) },
            [_] | [] => Cores { pair: None },
        }
    }

    pub fn pin_server(&self) -> Result<(), Failure> {
        self.pair.map_or(Ok(()), |(server, _)| pin(server))
    }

    pub fn pin_load(&self) -> Result<(), Failure> {
        self.pair.map_or(Ok(()), |(_, load)| pin(load))
    }
}

fn pin(core: usize) -> Result<(), Failure> {
    os::pin(core).map_err(|error| Failure::of(format_args!("cannot run on core {core}"), error))
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pair {
            Some((server, load)) => write!(f, "server on core {server}, load on core {load}"),
            None => write!(f, "server and load share the only core"),
        }
    }
}

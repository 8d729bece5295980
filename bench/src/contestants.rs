//! Who is measured.

/// What a contestant is to the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Ours,
    /// Written by hand for this: the floor.
    Loop,
    /// What people use today.
    Peer,
    Wine,
}

/// How a contestant comes about.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// `winsock serve` with these arguments, on a backend.
    Serve { arguments: &'static [&'static str], backend: &'static str },
    /// A program of this workspace.
    Bin(&'static str),
    /// A program in `peers/`, by the feature that its library is.
    Crate { program: &'static str, feature: &'static str },
    /// A file in `peers/c/`, linked with these.
    C { file: &'static str, link: &'static [&'static str] },
    /// `sys-echo` for Windows.
    Wine,
}

#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    pub name: &'static str,
    pub role: Role,
    pub source: Source,
    /// It can serve with two threads, too.
    pub can_two: bool,
}

const fn serve(
    name: &'static str,
    backend: &'static str,
    can_two: bool,
    arguments: &'static [&'static str],
) -> Contestant {
    Contestant { name, role: Role::Ours, source: Source::Serve { arguments, backend }, can_two }
}

const fn peer(name: &'static str, program: &'static str, feature: &'static str) -> Contestant {
    let source = Source::Crate { program, feature };
    Contestant { name, role: Role::Peer, source, can_two: false }
}

const fn c(name: &'static str, file: &'static str, link: &'static [&'static str]) -> Contestant {
    Contestant { name, role: Role::Peer, source: Source::C { file, link }, can_two: false }
}

const PORT: &[&str] = &["--model", "completion-port"];

pub const ALL: &[Contestant] = &[
    serve("completion-port", "epoll", true, PORT),
    serve("completion-port-uring", "uring", true, PORT),
    Contestant {
        name: "sys-echo",
        role: Role::Ours,
        source: Source::Bin("sys-echo"),
        can_two: false,
    },
    serve("completion-routine", "epoll", false, &["--model", "completion-routine"]),
    serve("overlapped-event", "epoll", false, &["--model", "overlapped-event"]),
    serve("event-select", "epoll", false, &["--model", "event-select"]),
    serve("async-select", "epoll", false, &["--model", "async-select"]),
    serve("select", "epoll", false, &["--model", "select"]),
    Contestant {
        name: "epoll-loop",
        role: Role::Loop,
        source: Source::Bin("epoll-echo"),
        can_two: false,
    },
    Contestant { role: Role::Loop, ..peer("uring-loop", "uring-echo", "io-uring") },
    Contestant { can_two: true, ..peer("tokio", "tokio-echo", "tokio") },
    peer("mio", "mio-echo", "mio"),
    peer("monoio", "monoio-echo", "monoio"),
    peer("compio", "compio-echo", "compio"),
    Contestant { can_two: true, ..c("asio", "asio.cpp", &["-lpthread"]) },
    c("libuv", "libuv.c", &["-luv"]),
    c("libevent", "libevent.c", &["-levent_core"]),
    Contestant { name: "wine", role: Role::Wine, source: Source::Wine, can_two: false },
];

/// Those that are measured unless told otherwise: Wine takes long, and has a table of its own.
pub fn usual() -> Vec<&'static Contestant> {
    ALL.iter().filter(|contestant| contestant.role != Role::Wine).collect()
}

pub fn named(name: &str) -> Result<&'static Contestant, String> {
    ALL.iter().find(|contestant| contestant.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|contestant| contestant.name).collect();
        format!("the contestants are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_others_are_told_what_there_is() {
        for contestant in ALL {
            assert_eq!(named(contestant.name).unwrap().name, contestant.name);
        }
        assert!(named("nginx").unwrap_err().contains("tokio"));
    }
}

//! The echo by operations that complete: what the three models have in common that hear of ends.
//!
//! Each connection has one operation under way, and travels with it: whichever thread takes the
//! completion has it. What is received lies in lent memory, and goes out from there at once; only
//! what the client is too slow to take is copied, and sent by an operation.

use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use winsock::{Completion, Error, Operations, Order, TcpSocket, Ticket};

use super::crowd::Guest;
use super::groups::Arrival;
use super::registry::Registry;
use super::tally::Tally;

/// What an operation is for.
pub enum Token {
    Client(Arc<Connection>),
    Accept,
    Order(Order<Arrival>),
}

impl From<Order<Arrival>> for Token {
    fn from(order: Order<Arrival>) -> Token {
        Token::Order(order)
    }
}

pub struct Connection {
    socket: TcpSocket,
    place: usize,
    /// The last receive, for stopping to cancel. Locked while it is started, so that no other
    /// thread gets ahead and is then overwritten.
    receiving: Mutex<Option<Ticket>>,
    /// Our side is shut down, and we wait for the client to end its own.
    parted: AtomicBool,
    _guest: Guest,
}

/// Serves connections, with whichever model starts their operations: all of them with the same.
pub struct Echo {
    connections: Registry<Arc<Connection>>,
    greeting: Arc<[u8]>,
    stopping: AtomicBool,
    cutting: AtomicBool,
}

/// What a completion came to.
pub enum Turn {
    Done,
    /// The connection is gone, and its socket closed.
    Ended,
    /// It is no connection's.
    Other(Completion<Token>),
}

impl Echo {
    pub fn new(greeting: Arc<[u8]>) -> Echo {
        Echo {
            connections: Registry::new(),
            greeting,
            stopping: AtomicBool::new(false),
            cutting: AtomicBool::new(false),
        }
    }

    pub fn begin(&self, model: &impl Operations<Token>, socket: TcpSocket, guest: Guest) {
        let connection = self.connections.enter(|place| {
            let (receiving, parted) = (Mutex::new(None), AtomicBool::new(false));
            Arc::new(Connection { socket, place, receiving, parted, _guest: guest })
        });
        if self.greeting.is_empty() {
            self.receive(model, connection);
        } else {
            self.send(model, connection, &self.greeting);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Takes the next step after an operation has ended.
    #[inline]
    pub fn turn(
        &self,
        model: &impl Operations<Token>,
        completion: Completion<Token>,
        tally: &mut Tally,
    ) -> Turn {
        match completion {
            Completion::RecvLent { token: Token::Client(connection), result } => match result {
                Ok(message) if message.is_empty() => self.end(connection),
                Ok(message) => {
                    tally.messages += 1;
                    tally.bytes += message.len() as u64;
                    self.echo(model, connection, &message, tally)
                }
                Err(Error::OPERATION_ABORTED) => self.part(model, connection),
                Err(error) => self.failed(connection, error, tally),
            },
            Completion::Send { token: Token::Client(connection), result, .. } => match result {
                Ok(_) => self.receive(model, connection),
                Err(error) => self.failed(connection, error, tally),
            },
            other => Turn::Other(other),
        }
    }

    #[inline]
    fn receive(&self, model: &impl Operations<Token>, connection: Arc<Connection>) -> Turn {
        let token = Token::Client(Arc::clone(&connection));
        let mut receiving = connection.receiving.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = model.recv_lent(&connection.socket, token);
        *receiving = Some(ticket);
        drop(receiving);
        // What came before is still taken: cancelling ends a receive only if it has to wait.
        if self.stopping.load(Ordering::Relaxed) && !connection.parted.load(Ordering::Relaxed) {
            model.cancel(ticket);
        }
        Turn::Done
    }

    #[inline]
    fn echo(
        &self,
        model: &impl Operations<Token>,
        connection: Arc<Connection>,
        message: &[u8],
        tally: &mut Tally,
    ) -> Turn {
        if connection.parted.load(Ordering::Relaxed) {
            if self.cutting.load(Ordering::Relaxed) {
                return self.end(connection);
            }
            // It comes too late: the client has the end of our stream already, or soon.
            return self.receive(model, connection);
        }
        match connection.socket.send(message) {
            Ok(sent) if sent == message.len() => self.receive(model, connection),
            Ok(sent) => self.send(model, connection, &message[sent..]),
            Err(Error::WOULD_BLOCK) => self.send(model, connection, message),
            Err(error) => self.failed(connection, error, tally),
        }
    }

    /// Sends what there may be no room for at once.
    #[cold]
    fn send(
        &self,
        model: &impl Operations<Token>,
        connection: Arc<Connection>,
        rest: &[u8],
    ) -> Turn {
        model.send(&connection.socket, rest.to_vec(), Token::Client(Arc::clone(&connection)));
        Turn::Done
    }

    /// A receive was cancelled, because the server stops: ends our side of the connection, and
    /// waits for the client to end its own. Closing at once would reset a connection on which
    /// something is still arriving, and might take from the client what it has not read yet.
    #[cold]
    fn part(&self, model: &impl Operations<Token>, connection: Arc<Connection>) -> Turn {
        if self.cutting.load(Ordering::Relaxed)
            || connection.socket.shutdown(Shutdown::Write).is_err()
        {
            return self.end(connection);
        }
        connection.parted.store(true, Ordering::Relaxed);
        self.receive(model, connection)
    }

    #[cold]
    fn failed(&self, connection: Arc<Connection>, error: Error, tally: &mut Tally) -> Turn {
        if !self.stopping.load(Ordering::Relaxed) {
            tally.errors += 1;
            tracing::debug!("a connection failed: {error}");
        }
        self.end(connection)
    }

    /// Forgets the connection, which closes its socket.
    fn end(&self, connection: Arc<Connection>) -> Turn {
        let place = connection.place;
        drop(connection);
        self.connections.leave(place);
        Turn::Ended
    }

    /// Connections end as soon as they would wait for their client. What is being sent is sent, and
    /// what has been received already is sent back.
    pub fn stop(&self, model: &impl Operations<Token>) {
        self.stopping.store(true, Ordering::Relaxed);
        for connection in self.connections.all() {
            // The lock orders this after the store above for whoever receives from now on.
            let receiving = connection.receiving.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(ticket) = *receiving {
                model.cancel(ticket);
            }
        }
    }

    /// Ends what stopping could not: connections whose clients do not end them, or do not read.
    #[cold]
    pub fn cut(&self) {
        if self.cutting.swap(true, Ordering::Relaxed) {
            return;
        }
        for connection in self.connections.all() {
            connection.socket.cancel();
        }
    }
}

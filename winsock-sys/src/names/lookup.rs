//! From names to addresses: what getaddrinfo, GetAddrInfoW, GetAddrInfoEx and gethostbyname share.
//!
//! Windows answers some names itself, and so do we: literals, `localhost`, the computer's own name.
//! All others go to the C library, and with it to /etc/hosts and DNS.

use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use libc::{AF_INET, AF_INET6, AF_UNSPEC, c_int};
use windows_sys::Win32::Networking::WinSock::{
    AI_ADDRCONFIG, AI_ALL, AI_BYPASS_DNS_CACHE, AI_CANONNAME, AI_DISABLE_IDN_ENCODING, AI_DNS_ONLY,
    AI_FILESERVER, AI_FORCE_CLEAR_TEXT, AI_FQDN, AI_NON_AUTHORITATIVE, AI_NUMERICHOST,
    AI_NUMERICSERV, AI_PASSIVE, AI_RETURN_PREFERRED_NAMES, AI_RETURN_TTL, AI_SECURE,
    AI_SECURE_WITH_FALLBACK, AI_V4MAPPED, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW,
    SOCK_STREAM, WSA_NOT_ENOUGH_MEMORY, WSAEAFNOSUPPORT, WSAEINVAL, WSAESOCKTNOSUPPORT,
    WSAHOST_NOT_FOUND, WSANO_DATA, WSANO_RECOVERY, WSATRY_AGAIN, WSATYPE_NOT_FOUND,
};

use crate::address::{self, Address};
use crate::convert::parse;
use crate::error::{self, Code};

use super::database::{self, Key};
use super::local::{self, Interfaces};
use super::punycode;

/// The flags that mean something to some name service of Windows, ours or not. AI_EXTENDED is not
/// among them: results in the later layouts are not made here.
const KNOWN_FLAGS: u32 = AI_PASSIVE
    | AI_CANONNAME
    | AI_NUMERICHOST
    | AI_NUMERICSERV
    | AI_DNS_ONLY
    | AI_FORCE_CLEAR_TEXT
    | AI_BYPASS_DNS_CACHE
    | AI_RETURN_TTL
    | AI_ALL
    | AI_ADDRCONFIG
    | AI_V4MAPPED
    | AI_NON_AUTHORITATIVE
    | AI_SECURE
    | AI_RETURN_PREFERRED_NAMES
    | AI_FQDN
    | AI_FILESERVER
    | AI_DISABLE_IDN_ENCODING
    | AI_SECURE_WITH_FALLBACK;

/// What a program asks for; numbers as Windows has them.
#[derive(Clone, Default, Debug)]
pub struct Question {
    pub node: Option<String>,
    pub service: Option<String>,
    pub flags: u32,
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
}

/// What it gets: at least one address, each with the port of the service.
#[derive(PartialEq, Eq, Debug)]
pub struct Answer {
    pub addresses: Vec<Address>,
    /// Only if it was asked for.
    pub canonical: Option<String>,
}

impl Question {
    fn asks(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// Answers a question; the errors are those of [getaddrinfo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo
pub fn resolve(question: &Question) -> Result<Answer, Code> {
    let family = check(question)?;
    let port = port(question)?;
    let canonical = question.asks(AI_CANONNAME | AI_FQDN);
    let mut answer = hosts(question, family, canonical);
    if family == AF_INET6
        && question.asks(AI_V4MAPPED)
        && (answer.is_err() || question.asks(AI_ALL))
    {
        answer = with_mapped(answer, hosts(question, AF_INET, canonical));
    }
    let mut answer = answer?;
    answer.addresses.iter_mut().for_each(|address| address.set_port(port));
    Ok(answer)
}

/// Checks what can be checked without looking anything up; the family as Linux has it.
fn check(question: &Question) -> Result<c_int, Code> {
    let refuse = |code| Err(Code::wsa(code));
    if question.flags & !KNOWN_FLAGS != 0 || (question.asks(AI_CANONNAME) && question.asks(AI_FQDN))
    {
        return refuse(WSAEINVAL);
    }
    if question.node.is_none() && question.asks(AI_CANONNAME | AI_FQDN) {
        return refuse(WSANO_RECOVERY);
    }
    if question.node.is_none() && question.service.is_none() {
        return refuse(WSAHOST_NOT_FOUND);
    }
    if !matches!(question.kind, 0 | SOCK_STREAM | SOCK_DGRAM | SOCK_RAW) {
        return refuse(WSAESOCKTNOSUPPORT);
    }
    address::family_to_linux(question.family).ok_or(Code::wsa(WSAEAFNOSUPPORT))
}

/// The port of the service, 0 if none is asked for.
fn port(question: &Question) -> Result<u16, Code> {
    let Some(service) = question.service.as_deref().map(str::trim_start) else {
        return Ok(0);
    };
    if service.is_empty() {
        return Ok(0);
    }
    // `parse` would also take a sign.
    if service.bytes().all(|digit| digit.is_ascii_digit()) {
        return service.parse().map_err(|_too_large| Code::wsa(WSATYPE_NOT_FOUND));
    }
    if question.asks(AI_NUMERICSERV) {
        return Err(Code::wsa(WSAHOST_NOT_FOUND));
    }
    let protocol = match (question.kind, question.protocol) {
        (SOCK_STREAM, _) | (0, IPPROTO_TCP) => Some("tcp"),
        (SOCK_DGRAM, _) | (0, IPPROTO_UDP) => Some("udp"),
        (0, _) => None,
        // No service is known by name over raw IP.
        _ => return Err(Code::wsa(WSATYPE_NOT_FOUND)),
    };
    let entry = database::service(Key::Name(service), protocol);
    entry.map(|entry| entry.number).ok_or(Code::wsa(WSATYPE_NOT_FOUND))
}

/// The addresses of the node in a family, or in both for AF_UNSPEC, without a port.
fn hosts(question: &Question, family: c_int, canonical: bool) -> Result<Answer, Code> {
    let of_family = |addresses: Vec<Address>, name: &str| {
        let wanted = |address: &Address| family == AF_UNSPEC || address.family() == family;
        let addresses: Vec<Address> = addresses.into_iter().filter(wanted).collect();
        match addresses.is_empty() {
            true => Err(Code::wsa(WSAHOST_NOT_FOUND)),
            false => Ok(Answer { addresses, canonical: canonical.then(|| name.into()) }),
        }
    };
    let literal = question.node.as_deref().and_then(literal);
    if let (Some(node), Some(address)) = (&question.node, literal) {
        return of_family(vec![address], node);
    }
    let interfaces = Interfaces::read();
    let Some(node) = &question.node else {
        return of_family(anywhere(question, family, &interfaces), "");
    };
    if question.asks(AI_NUMERICHOST) {
        return Err(Code::wsa(WSAHOST_NOT_FOUND));
    }
    if node.eq_ignore_ascii_case("localhost") {
        return of_family(interfaces.localhost(), node);
    }
    let own = local::name()?;
    if node.is_empty() || node == "..localmachine" || node.eq_ignore_ascii_case(&own) {
        return of_family(configured(question, interfaces.registered(), &interfaces), &own);
    }
    ask(&encoded(question, node)?, narrowed(question, family, &interfaces), canonical)
}

fn literal(node: &str) -> Option<Address> {
    let v4 = || parse::v4_by_parts(node).map(|host| Address::v4(host, 0));
    parse::v6_host(node).or_else(v4)
}

/// The addresses of no node: of every interface to bind to, or of this computer to connect to.
fn anywhere(question: &Question, family: c_int, interfaces: &Interfaces) -> Vec<Address> {
    let address = |family| match question.asks(AI_PASSIVE) {
        true => Address::any(family),
        false => Address::loopback(family, 0),
    };
    let spoken = |&one: &c_int| family == one || interfaces.speak(one);
    let addresses = [AF_INET6, AF_INET].into_iter().filter(spoken).map(address).collect();
    configured(question, addresses, interfaces)
}

/// What AI_ADDRCONFIG leaves. A computer that reaches nobody still has its own addresses.
fn configured(
    question: &Question,
    mut addresses: Vec<Address>,
    interfaces: &Interfaces,
) -> Vec<Address> {
    let reaches_anybody = interfaces.reach(AF_INET) || interfaces.reach(AF_INET6);
    if question.asks(AI_ADDRCONFIG) && reaches_anybody {
        addresses.retain(|address| interfaces.reach(address.family()));
    }
    addresses
}

/// The family to ask DNS for: with AI_ADDRCONFIG, not for addresses that nobody could use.
fn narrowed(question: &Question, family: c_int, interfaces: &Interfaces) -> c_int {
    if family != AF_UNSPEC || !question.asks(AI_ADDRCONFIG) {
        return family;
    }
    match (interfaces.reach(AF_INET), interfaces.reach(AF_INET6)) {
        (true, false) => AF_INET,
        (false, true) => AF_INET6,
        (true, true) | (false, false) => AF_UNSPEC,
    }
}

/// The node as DNS knows it.
fn encoded(question: &Question, node: &str) -> Result<CString, Code> {
    let ascii = match question.asks(AI_DISABLE_IDN_ENCODING) {
        true => Some(node.into()),
        false => punycode::to_ascii(node),
    };
    ascii.and_then(|name| CString::new(name).ok()).ok_or(Code::wsa(WSAHOST_NOT_FOUND))
}

/// Asks the C library.
fn ask(node: &CStr, family: c_int, canonical: bool) -> Result<Answer, Code> {
    // SAFETY: all zeros is an `addrinfo` that asks for nothing in particular.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = if canonical { libc::AI_CANONNAME } else { 0 };
    hints.ai_family = family;
    // Any type would do; with none the library repeats each address for each type it knows.
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list = null_mut();
    // SAFETY: the name ends in NUL, and `hints` and `list` outlive the call.
    let result = unsafe { libc::getaddrinfo(node.as_ptr(), null(), &hints, &mut list) };
    if result != 0 {
        return Err(code_of_eai(result));
    }
    // SAFETY: the list came from getaddrinfo just now.
    let answer = unsafe { read_list(list) };
    // SAFETY: as above, and nothing points into it any more.
    unsafe { libc::freeaddrinfo(list) };
    match answer.addresses.is_empty() {
        true => Err(Code::wsa(WSANO_DATA)),
        false => Ok(answer),
    }
}

/// # Safety
/// `list` came from getaddrinfo and was not freed.
unsafe fn read_list(list: *const libc::addrinfo) -> Answer {
    let mut answer = Answer { addresses: Vec::new(), canonical: None };
    let mut next = list;
    // SAFETY: the caller promises the list, which ends in NULL.
    while let Some(info) = unsafe { next.as_ref() } {
        // SAFETY: the library's addresses are as long as their family says.
        let address = unsafe { Address::of_kernel(info.ai_addr) };
        // A name that is listed twice in /etc/hosts comes twice.
        answer.addresses.extend(address.filter(|address| !answer.addresses.contains(address)));
        if !info.ai_canonname.is_null() {
            // SAFETY: a name of the library ends in NUL.
            let name = unsafe { CStr::from_ptr(info.ai_canonname) };
            answer.canonical = Some(name.to_string_lossy().into_owned());
        }
        next = info.ai_next;
    }
    answer
}

/// The IPv6 addresses, then the IPv4 addresses in IPv6's clothes.
fn with_mapped(v6: Result<Answer, Code>, v4: Result<Answer, Code>) -> Result<Answer, Code> {
    let Ok(v4) = v4 else { return v6 };
    let mapped: Vec<Address> = v4.addresses.iter().filter_map(Address::mapped).collect();
    let mut answer = v6.unwrap_or(Answer { addresses: Vec::new(), canonical: v4.canonical });
    answer.addresses.extend(mapped);
    Ok(answer)
}

/// The WSA code of an error of the C library's resolver.
pub fn code_of_eai(eai: c_int) -> Code {
    let code = match eai {
        libc::EAI_AGAIN => WSATRY_AGAIN,
        libc::EAI_BADFLAGS => WSAEINVAL,
        libc::EAI_FAMILY => WSAEAFNOSUPPORT,
        libc::EAI_MEMORY => WSA_NOT_ENOUGH_MEMORY,
        libc::EAI_NONAME => WSAHOST_NOT_FOUND,
        libc::EAI_NODATA => WSANO_DATA,
        libc::EAI_SERVICE => WSATYPE_NOT_FOUND,
        libc::EAI_SOCKTYPE => WSAESOCKTNOSUPPORT,
        libc::EAI_SYSTEM => {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
            return error::wsa_of_errno(errno);
        }
        _ => WSANO_RECOVERY,
    };
    Code::wsa(code)
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Networking::WinSock;

    use super::*;

    fn question(node: &str) -> Question {
        Question { node: Some(node.into()), ..Question::default() }
    }

    fn only(address: Address) -> Result<Answer, Code> {
        Ok(Answer { addresses: vec![address], canonical: None })
    }

    #[test]
    fn literals() {
        let v6 = Address::loopback(AF_INET6, 0);
        let v4 = Address::loopback(AF_INET, 0);
        for (node, address) in [("127.0.0.1", v4), ("127.1", v4), ("::1", v6), ("[::1]", v6)] {
            assert_eq!(resolve(&question(node)), only(address), "{node}");
        }
        let mut asked = question("::1");
        asked.family = i32::from(WinSock::AF_INET);
        assert_eq!(resolve(&asked), Err(Code::wsa(WSAHOST_NOT_FOUND)));
        let mut asked = question("127.0.0.1");
        (asked.family, asked.flags) = (i32::from(WinSock::AF_INET6), AI_V4MAPPED);
        assert_eq!(resolve(&asked), only(v4.mapped().unwrap()));
        asked.flags = AI_CANONNAME;
        asked.family = 0;
        assert_eq!(resolve(&asked).unwrap().canonical.as_deref(), Some("127.0.0.1"));
    }

    #[test]
    fn services() {
        let code = |code| Err(Code::wsa(code));
        for (service, kind, expected) in [
            ("80", 0, Ok(80)),
            (" 80", SOCK_RAW, Ok(80)),
            ("", 0, Ok(0)),
            ("http", 0, Ok(80)),
            ("http", SOCK_STREAM, Ok(80)),
            ("http", SOCK_RAW, code(WSATYPE_NOT_FOUND)),
            ("tftp", 0, Ok(69)),
            ("tftp", SOCK_DGRAM, Ok(69)),
            ("tftp", SOCK_STREAM, code(WSATYPE_NOT_FOUND)),
            ("nonesuch", 0, code(WSATYPE_NOT_FOUND)),
            ("65535", 0, Ok(65535)),
            ("65536", 0, code(WSATYPE_NOT_FOUND)),
            ("-1", 0, code(WSATYPE_NOT_FOUND)),
            ("+1", 0, code(WSATYPE_NOT_FOUND)),
            ("0x50", 0, code(WSATYPE_NOT_FOUND)),
            ("80x", 0, code(WSATYPE_NOT_FOUND)),
        ] {
            let asked = Question { service: Some(service.into()), kind, ..question("127.0.0.1") };
            assert_eq!(port(&asked), expected, "{service} {kind}");
        }
    }

    #[test]
    fn bad_questions() {
        let fails = |asked: Question, code| assert_eq!(resolve(&asked), Err(Code::wsa(code)));
        let local = question("127.0.0.1");
        fails(Question::default(), WSAHOST_NOT_FOUND);
        fails(Question { family: 99, ..local.clone() }, WSAEAFNOSUPPORT);
        fails(Question { kind: 99, ..local.clone() }, WSAESOCKTNOSUPPORT);
        fails(Question { flags: 0x0040_0000, ..local.clone() }, WSAEINVAL);
        fails(Question { flags: AI_CANONNAME | AI_FQDN, ..local }, WSAEINVAL);
        fails(Question { flags: AI_NUMERICHOST, ..question("localhost") }, WSAHOST_NOT_FOUND);
        let nobody = Question { service: Some("80".into()), ..Question::default() };
        fails(Question { flags: AI_CANONNAME, ..nobody }, WSANO_RECOVERY);
    }

    #[test]
    fn no_node() {
        let mut asked = Question { service: Some("80".into()), ..Question::default() };
        asked.family = i32::from(WinSock::AF_INET);
        assert_eq!(resolve(&asked), only(Address::loopback(AF_INET, 80)));
        asked.flags = AI_PASSIVE;
        let mut any = Address::any(AF_INET);
        any.set_port(80);
        assert_eq!(resolve(&asked), only(any));
    }

    #[test]
    fn own_names() {
        let is_loopback = |address: &Address| *address == Address::loopback(address.family(), 0);
        let local = resolve(&question("LOCALHOST")).unwrap().addresses;
        assert!(!local.is_empty() && local.iter().all(is_loopback));
        let own = resolve(&question(&local::name().unwrap()));
        assert_eq!(own, resolve(&question("")));
        assert_eq!(own, resolve(&question("..localmachine")));
    }
}

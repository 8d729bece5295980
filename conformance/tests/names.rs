//! Names of hosts, services and protocols: what Microsoft's pages say of getaddrinfo and its kin.
//!
//! Nobody asks DNS here: hosts are literals, `localhost` and the computer itself.

use std::ptr::{null, null_mut};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::OVERLAPPED;
use winsock_sys::core::{PCSTR, PCWSTR};

const INET: i32 = AF_INET as i32;
const INET6: i32 = AF_INET6 as i32;

/// ANSI text with its NUL.
fn ansi(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// Wide text with its NUL.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The ANSI text at a pointer.
fn text_at(text: *const u8) -> String {
    assert!(!text.is_null());
    // SAFETY: the callers pass what Winsock ended with a NUL.
    let text = unsafe { std::ffi::CStr::from_ptr(text.cast()) };
    text.to_str().expect("ASCII").into()
}

/// The texts of a list that ends in NULL.
fn texts_at(list: *mut *mut i8) -> Vec<String> {
    let mut texts = Vec::new();
    // SAFETY: the callers pass a list of Winsock's, which ends in NULL.
    while let Some(&text) = unsafe { list.add(texts.len()).as_ref() }.filter(|text| !text.is_null())
    {
        texts.push(text_at(text.cast()));
    }
    texts
}

fn pointer<T>(text: &Option<Vec<T>>) -> *const T {
    text.as_ref().map_or(null(), Vec::as_ptr)
}

/// One result of a look-up.
#[derive(Debug, PartialEq, Clone)]
struct Found {
    family: i32,
    kind: i32,
    protocol: i32,
    len: usize,
    /// As WSAAddressToStringA writes it.
    address: String,
    canonical: Option<String>,
}

/// As WSAAddressToStringA writes an address.
fn written(address: *const SOCKADDR, len: usize) -> String {
    let (mut buffer, mut room) = ([0; 64], 64);
    // SAFETY: the callers pass an address of that length; the buffer has the room.
    let rc = unsafe {
        WSAAddressToStringA(address, len as u32, null(), buffer.as_mut_ptr(), &raw mut room)
    };
    assert_eq!(rc, 0, "WSAAddressToStringA: {}", last_wsa_error());
    assert_eq!(buffer[room as usize - 1], 0);
    text_at(buffer.as_ptr())
}

/// `getaddrinfo`: the results, freed again, or the code, which must be the last error too.
fn look_up(
    node: Option<&str>,
    service: Option<&str>,
    hints: Option<&ADDRINFOA>,
) -> Result<Vec<Found>, i32> {
    init();
    let (node, service) = (node.map(ansi), service.map(ansi));
    let hints = hints.map_or(null(), std::ptr::from_ref);
    let mut list = null_mut();
    // SAFETY: the strings end in NUL; hints and list are valid.
    let code = unsafe { getaddrinfo(pointer(&node), pointer(&service), hints, &raw mut list) };
    if code != 0 {
        assert_eq!(code, last_wsa_error());
        return Err(code);
    }
    let mut found = Vec::new();
    let mut next = list;
    // SAFETY: the list is ours until it is freed, and ends in NULL.
    while let Some(info) = unsafe { next.as_ref() } {
        let canonical = info.ai_canonname;
        found.push(Found {
            family: info.ai_family,
            kind: info.ai_socktype,
            protocol: info.ai_protocol,
            len: info.ai_addrlen,
            address: written(info.ai_addr, info.ai_addrlen),
            canonical: (!canonical.is_null()).then(|| text_at(canonical)),
        });
        next = info.ai_next;
    }
    // SAFETY: the list came from getaddrinfo.
    unsafe { freeaddrinfo(list) };
    Ok(found)
}

fn hints(flags: u32, family: i32, kind: i32, protocol: i32) -> ADDRINFOA {
    ADDRINFOA {
        ai_flags: flags as i32,
        ai_family: family,
        ai_socktype: kind,
        ai_protocol: protocol,
        ..ADDRINFOA::default()
    }
}

/// A look-up with these flags and family and no type: the addresses only.
fn addresses(node: Option<&str>, service: &str, flags: u32, family: i32) -> Vec<String> {
    let found = look_up(node, Some(service), Some(&hints(flags, family, 0, 0)));
    found.expect("addresses").into_iter().map(|found| found.address).collect()
}

#[test]
fn getaddrinfo_makes_one_result_of_a_literal() {
    let v4 = Found {
        family: INET,
        kind: 0,
        protocol: 0,
        len: 16,
        address: "127.0.0.1:80".into(),
        canonical: None,
    };
    let hints = ADDRINFOA::default();
    assert_eq!(look_up(Some("127.0.0.1"), Some("80"), Some(&hints)), Ok(vec![v4.clone()]));
    let v6 = Found { family: INET6, len: 28, address: "[::1]:80".into(), ..v4.clone() };
    assert_eq!(look_up(Some("::1"), Some("80"), Some(&hints)), Ok(vec![v6]));
    let portless = Found { address: "127.0.0.1".into(), ..v4 };
    assert_eq!(look_up(Some("127.0.0.1"), None, Some(&hints)), Ok(vec![portless]));
    let scoped = look_up(Some("fe80::1%1"), Some("80"), Some(&hints)).expect("a scope");
    assert_eq!(scoped[0].address, "[fe80::1%1]:80");
}

/// Microsoft's page: no hints are hints of zeros. Wine lets Linux' three results through.
#[test]
fn getaddrinfo_without_hints_has_hints_of_zeros() {
    let hints = ADDRINFOA::default();
    let hinted = look_up(Some("127.0.0.1"), Some("80"), Some(&hints));
    differs_on_wine(|| assert_eq!(look_up(Some("127.0.0.1"), Some("80"), None), hinted));
}

#[test]
fn getaddrinfo_gives_back_type_and_protocol_as_hinted() {
    for (kind, protocol) in [
        (SOCK_STREAM, IPPROTO_TCP),
        (SOCK_DGRAM, IPPROTO_UDP),
        (SOCK_STREAM, 0),
        (0, IPPROTO_UDP),
        (SOCK_STREAM, IPPROTO_UDP),
    ] {
        let hints = hints(0, INET, kind, protocol);
        let found = look_up(Some("127.0.0.1"), Some("80"), Some(&hints)).expect("an address");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, found[0].protocol), (kind, protocol));
    }
}

#[test]
fn getaddrinfo_knows_services_by_number_and_by_name() {
    for (service, kind, expected) in [
        ("80", 0, Ok("127.0.0.1:80")),
        (" 80", 0, Ok("127.0.0.1:80")),
        ("", 0, Ok("127.0.0.1")),
        ("http", 0, Ok("127.0.0.1:80")),
        ("http", SOCK_STREAM, Ok("127.0.0.1:80")),
        ("domain", SOCK_DGRAM, Ok("127.0.0.1:53")),
        ("tftp", SOCK_DGRAM, Ok("127.0.0.1:69")),
        ("tftp", SOCK_STREAM, Err(WSATYPE_NOT_FOUND)),
        ("nonesuch", 0, Err(WSATYPE_NOT_FOUND)),
        ("-1", 0, Err(WSATYPE_NOT_FOUND)),
        ("80x", 0, Err(WSATYPE_NOT_FOUND)),
    ] {
        let found = look_up(Some("127.0.0.1"), Some(service), Some(&hints(0, INET, kind, 0)));
        let address = found.map(|found| found[0].address.clone());
        assert_eq!(address, expected.map(String::from), "{service} {kind}");
    }
}

#[test]
fn getaddrinfo_without_a_node_is_this_computer() {
    assert_eq!(addresses(None, "80", 0, INET), ["127.0.0.1:80"]);
    assert_eq!(addresses(None, "80", AI_PASSIVE, INET), ["0.0.0.0:80"]);
    assert_eq!(addresses(None, "80", 0, INET6), ["[::1]:80"]);
    assert_eq!(addresses(None, "80", AI_PASSIVE, INET6), ["[::]:80"]);
    assert!(addresses(None, "80", 0, 0).contains(&"127.0.0.1:80".into()));
}

#[test]
fn getaddrinfo_localhost_is_the_loopback() {
    assert_eq!(addresses(Some("localhost"), "80", 0, INET), ["127.0.0.1:80"]);
    assert_eq!(addresses(Some("LocalHost"), "80", 0, INET), ["127.0.0.1:80"]);
    let all = addresses(Some("localhost"), "80", 0, 0);
    assert!(all.iter().all(|address| address == "127.0.0.1:80" || address == "[::1]:80"));
}

#[test]
fn getaddrinfo_the_empty_name_is_this_computer_and_no_wildcard() {
    let own = addresses(Some(""), "80", 0, INET);
    assert!(!own.is_empty() && !own.contains(&"0.0.0.0:80".into()));
}

#[test]
fn getaddrinfo_maps_ipv4_into_ipv6() {
    assert_eq!(addresses(Some("127.0.0.1"), "80", AI_V4MAPPED, INET6), ["[::ffff:127.0.0.1]:80"]);
}

#[test]
fn getaddrinfo_names_a_literal_after_itself() {
    let found = look_up(Some("127.0.0.1"), None, Some(&hints(AI_CANONNAME, 0, 0, 0)));
    assert_eq!(found.expect("an address")[0].canonical.as_deref(), Some("127.0.0.1"));
}

#[test]
fn getaddrinfo_refuses() {
    for (node, service, hints, code) in [
        (None, None, hints(0, 0, 0, 0), WSAHOST_NOT_FOUND),
        (Some("localhost"), None, hints(AI_NUMERICHOST, 0, 0, 0), WSAHOST_NOT_FOUND),
        (Some("127.0.0.1"), Some("http"), hints(AI_NUMERICSERV, 0, 0, 0), WSAHOST_NOT_FOUND),
        (Some("127.0.0.1"), None, hints(0, 99, 0, 0), WSAEAFNOSUPPORT),
        (Some("127.0.0.1"), None, hints(0, 0, 99, 0), WSAESOCKTNOSUPPORT),
    ] {
        assert_eq!(look_up(node, service, Some(&hints)), Err(code), "{node:?} {service:?}");
    }
}

/// Microsoft's page: members of the hints that must be 0 give WSANO_RECOVERY.
#[test]
fn getaddrinfo_refuses_hints_with_members_of_a_result() {
    let bad = ADDRINFOA { ai_addrlen: 1, ..ADDRINFOA::default() };
    differs_on_wine(|| {
        assert_eq!(look_up(Some("127.0.0.1"), None, Some(&bad)), Err(WSANO_RECOVERY));
    });
}

/// Microsoft's page: only one of the two may be asked for.
#[test]
fn getaddrinfo_refuses_two_canonical_names() {
    let both = hints(AI_CANONNAME | AI_FQDN, 0, 0, 0);
    differs_on_wine(|| {
        assert_eq!(look_up(Some("127.0.0.1"), None, Some(&both)), Err(WSAEINVAL));
    });
}

/// Microsoft's page: a name without a node gives WSANO_RECOVERY.
#[test]
fn getaddrinfo_has_no_canonical_name_for_no_node() {
    let named = hints(AI_CANONNAME, 0, 0, 0);
    differs_on_wine(|| assert_eq!(look_up(None, Some("80"), Some(&named)), Err(WSANO_RECOVERY)));
}

/// Wine passes an error number of Linux through.
#[test]
fn getaddrinfo_does_not_find_a_literal_in_another_family() {
    differs_on_wine(|| {
        let found = look_up(Some("::1"), None, Some(&hints(0, INET, 0, 0)));
        assert_eq!(found, Err(WSAHOST_NOT_FOUND));
    });
}

#[test]
fn get_addr_info_w_is_the_same_in_wide() {
    init();
    let (node, service) = (wide("127.0.0.1"), wide("http"));
    let hints = ADDRINFOW { ai_flags: AI_CANONNAME as i32, ..ADDRINFOW::default() };
    let mut list = null_mut();
    // SAFETY: the strings end in NUL; hints and list are valid. The list is freed once.
    unsafe {
        let code = GetAddrInfoW(node.as_ptr(), service.as_ptr(), &hints, &raw mut list);
        assert_eq!(code, 0);
        assert_eq!(written((*list).ai_addr, (*list).ai_addrlen), "127.0.0.1:80");
        let name = std::slice::from_raw_parts((*list).ai_canonname, node.len());
        assert_eq!(name, node);
        FreeAddrInfoW(list);
        assert_eq!(GetAddrInfoW(null(), null(), null(), &raw mut list), WSAHOST_NOT_FOUND);
    }
    assert_eq!(last_wsa_error(), WSAHOST_NOT_FOUND);
}

/// `GetAddrInfoExW` for the DNS name space, to answer at once or through `overlapped`.
fn look_up_ex(
    node: PCWSTR,
    list: &mut *mut ADDRINFOEXW,
    overlapped: *const OVERLAPPED,
    routine: LPLOOKUPSERVICE_COMPLETION_ROUTINE,
) -> i32 {
    init();
    let (service, hints) = (wide("80"), ADDRINFOEXW::default());
    // SAFETY: the strings end in NUL; the callers keep list and OVERLAPPED until the report.
    unsafe {
        GetAddrInfoExW(
            node,
            service.as_ptr(),
            NS_DNS,
            null(),
            &hints,
            list,
            null(),
            overlapped,
            routine,
            null_mut(),
        )
    }
}

/// The address of a list with one, freed.
fn only_address(list: *mut ADDRINFOEXW) -> String {
    assert!(!list.is_null());
    // SAFETY: the callers pass a list of GetAddrInfoExW, which nobody else frees.
    unsafe {
        assert!((*list).ai_next.is_null());
        let address = written((*list).ai_addr, (*list).ai_addrlen);
        FreeAddrInfoExW(list);
        address
    }
}

#[test]
fn get_addr_info_ex_answers_at_once() {
    let mut list = null_mut();
    assert_eq!(look_up_ex(wide("127.0.0.1").as_ptr(), &mut list, null(), None), 0);
    assert_eq!(only_address(list), "127.0.0.1:80");
}

#[test]
fn get_addr_info_ex_reports_through_an_event() {
    let event = Event::manual_reset();
    let overlapped = OVERLAPPED { hEvent: *event, ..OVERLAPPED::default() };
    let mut list = null_mut();
    let code = look_up_ex(wide("127.0.0.1").as_ptr(), &mut list, &overlapped, None);
    // Windows may answer a question as simple as this one at once.
    if code == WSA_IO_PENDING {
        assert!(event.is_set_within(SOON));
        // SAFETY: the OVERLAPPED was passed to GetAddrInfoExW.
        assert_eq!(unsafe { GetAddrInfoExOverlappedResult(&overlapped) }, 0);
    } else {
        assert_eq!(code, 0);
    }
    assert_eq!(only_address(list), "127.0.0.1:80");
}

/// What the routine below needs: it gets the OVERLAPPED only, which is the first member.
#[repr(C)]
struct Query {
    overlapped: OVERLAPPED,
    report: Sender<(u32, thread::ThreadId)>,
}

unsafe extern "system" fn on_answer(error: u32, _bytes: u32, overlapped: *const OVERLAPPED) {
    // SAFETY: the only test that names this routine passes the first member of a Query it keeps.
    let query = unsafe { &*overlapped.cast::<Query>() };
    query.report.send((error, thread::current().id())).expect("the test waits");
}

#[test]
fn get_addr_info_ex_reports_through_a_routine() {
    let (report, reports) = channel();
    let query = Query { overlapped: OVERLAPPED::default(), report };
    let mut list = null_mut();
    let code =
        look_up_ex(wide("127.0.0.1").as_ptr(), &mut list, &query.overlapped, Some(on_answer));
    if code == WSA_IO_PENDING {
        let (error, thread) =
            reports.recv_timeout(Duration::from_millis(u64::from(SOON))).expect("a report");
        assert_eq!(error, 0);
        assert_ne!(thread, thread::current().id());
    } else {
        assert_eq!(code, 0);
    }
    assert_eq!(only_address(list), "127.0.0.1:80");
}

#[test]
fn get_addr_info_ex_overlapped_needs_an_overlapped() {
    init();
    let nothing = null_mut();
    // SAFETY: NULL is allowed, and a handle that was never given out.
    unsafe {
        assert_eq!(GetAddrInfoExOverlappedResult(null()), WSAEINVAL);
        assert_eq!(GetAddrInfoExCancel(&nothing), WSA_INVALID_HANDLE);
    }
}

/// `getnameinfo`: host and service, or the code.
fn name_of(address: &Addr, room: (u32, u32), flags: u32) -> Result<(String, String), i32> {
    init();
    let (mut host, mut service) = ([0_u8; 1025], [0_u8; 32]);
    // SAFETY: address and buffers are at least as long as said.
    let code = unsafe {
        getnameinfo(
            address.as_ptr(),
            address.len,
            if room.0 == 0 { null_mut() } else { host.as_mut_ptr() },
            room.0,
            if room.1 == 0 { null_mut() } else { service.as_mut_ptr() },
            room.1,
            flags as i32,
        )
    };
    match code {
        0 => Ok((text_at(host.as_ptr()), text_at(service.as_ptr()))),
        _ => Err(code),
    }
}

#[test]
fn getnameinfo_writes_numbers() {
    let numbers = NI_NUMERICHOST | NI_NUMERICSERV;
    let v4 = sockaddr_v4(80);
    let found = |host: &str, service: &str| Ok((host.into(), service.into()));
    assert_eq!(name_of(&v4, (1025, 32), numbers), found("127.0.0.1", "80"));
    assert_eq!(name_of(&sockaddr_v6(80), (1025, 32), numbers), found("::1", "80"));
    assert_eq!(name_of(&v4, (10, 3), numbers), found("127.0.0.1", "80"));
    assert_eq!(name_of(&v4, (0, 32), numbers), found("", "80"));
    assert_eq!(name_of(&v4, (1025, 0), numbers), found("127.0.0.1", ""));
}

#[test]
fn getnameinfo_names_the_service_or_writes_its_number() {
    let service = |port, flags| {
        name_of(&sockaddr_v4(port), (1025, 32), NI_NUMERICHOST | flags).expect("names").1
    };
    assert_eq!(service(80, 0), "http");
    assert_eq!(service(69, NI_DGRAM), "tftp");
    assert_eq!(service(69, 0), "69");
    assert_eq!(service(54_321, 0), "54321");
    assert_eq!(service(0, 0), "0");
}

#[test]
fn getnameinfo_refuses_an_unknown_family() {
    let mut address = sockaddr_v4(80);
    // SAFETY: the family is the first member of every sockaddr.
    unsafe { (*address.as_mut_ptr()).sa_family = 99 };
    assert_eq!(name_of(&address, (1025, 32), NI_NUMERICHOST), Err(WSAEAFNOSUPPORT));
}

/// Microsoft's page; Wine 8.0 has other codes for all of them, or none.
#[test]
fn getnameinfo_refuses_as_the_page_says() {
    let mut short = sockaddr_v4(80);
    short.len = 15;
    differs_on_wine(|| assert_eq!(name_of(&short, (1025, 32), 0), Err(WSAEFAULT)));
    let nothing_asked = || name_of(&sockaddr_v4(80), (0, 0), 0);
    differs_on_wine(|| assert_eq!(nothing_asked(), Err(WSAHOST_NOT_FOUND)));
}

#[test]
fn get_name_info_w_is_the_same_in_wide() {
    init();
    let (address, mut host, mut service) = (sockaddr_v4(80), [1_u16; 10], [1_u16; 5]);
    // SAFETY: address and buffers are as long as said.
    let code = unsafe {
        let (host, service) = (host.as_mut_ptr(), service.as_mut_ptr());
        GetNameInfoW(address.as_ptr(), address.len, host, 10, service, 5, NI_NUMERICHOST as i32)
    };
    assert_eq!(code, 0);
    assert_eq!((&host[..], &service[..]), (&wide("127.0.0.1")[..], &wide("http")[..]));
}

#[test]
fn gethostname_needs_room_for_the_name_and_its_nul() {
    init();
    let (mut name, mut wide_name) = ([0_u8; 256], [0_u16; 256]);
    // SAFETY: the buffers are at least as long as said; NULL is allowed.
    unsafe {
        assert_eq!(gethostname(name.as_mut_ptr(), 256), 0);
        assert_eq!(GetHostNameW(wide_name.as_mut_ptr(), 256), 0);
        let len = text_at(name.as_ptr()).len() as i32;
        assert!(len > 0);
        assert_eq!(wide(&text_at(name.as_ptr())), wide_name[..len as usize + 1]);
        assert_eq!(gethostname(name.as_mut_ptr(), len + 1), 0);
        let refused = |rc| assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAEFAULT));
        refused(gethostname(name.as_mut_ptr(), len));
        refused(gethostname(name.as_mut_ptr(), 0));
        refused(gethostname(null_mut(), 256));
        refused(GetHostNameW(wide_name.as_mut_ptr(), len));
        refused(GetHostNameW(null_mut(), 256));
    }
}

/// `gethostbyname`: name, and addresses as numbers; or the WSA error.
fn host_by_name(name: Option<&str>) -> Result<(String, Vec<[u8; 4]>), i32> {
    init();
    let name = name.map(ansi);
    // SAFETY: the name ends in NUL; the record is this thread's until its next call.
    unsafe {
        let Some(host) = gethostbyname(pointer(&name)).as_ref() else {
            return Err(last_wsa_error());
        };
        assert_eq!((host.h_addrtype, host.h_length), (AF_INET as i16, 4));
        assert!(!host.h_aliases.is_null());
        let mut addresses = Vec::new();
        while !(*host.h_addr_list.add(addresses.len())).is_null() {
            let address = *host.h_addr_list.add(addresses.len());
            addresses.push(address.cast::<[u8; 4]>().read_unaligned());
        }
        Ok((text_at(host.h_name), addresses))
    }
}

#[test]
fn gethostbyname_knows_this_computer() {
    let local = host_by_name(Some("localhost")).expect("localhost");
    assert_eq!(local, ("localhost".into(), vec![[127, 0, 0, 1]]));
    let own = host_by_name(Some("")).expect("this computer");
    assert_eq!(host_by_name(None), Ok(own.clone()));
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is as long as said.
    assert_eq!(unsafe { gethostname(name.as_mut_ptr(), 256) }, 0);
    assert_eq!(own.0, text_at(name.as_ptr()));
    assert!(!own.1.is_empty());
}

#[test]
fn gethostbyname_takes_an_ipv4_literal() {
    let found = host_by_name(Some("127.0.0.1"));
    assert_eq!(found, Ok(("127.0.0.1".into(), vec![[127, 0, 0, 1]])));
}

/// Microsoft's page; Wine says WSAHOST_NOT_FOUND.
#[test]
fn gethostbyname_has_no_data_for_other_numbers() {
    for name in ["::1", "256.1.1.1"] {
        differs_on_wine(|| assert_eq!(host_by_name(Some(name)), Err(WSANO_DATA)));
    }
}

#[test]
fn gethostbyaddr_refuses_unknown_families() {
    init();
    let address = [127, 0, 0, 1];
    // SAFETY: the address has 4 bytes.
    assert!(unsafe { gethostbyaddr(address.as_ptr(), 4, 99) }.is_null());
    assert_eq!(last_wsa_error(), WSAEAFNOSUPPORT);
}

/// `getservbyname`: name, port in host order, protocol, aliases; or the WSA error.
type Service = (String, u16, String, Vec<String>);

fn service_at(record: *mut SERVENT) -> Result<Service, i32> {
    // SAFETY: the callers pass what Winsock returned; it is this thread's until its next call.
    let Some(service) = (unsafe { record.as_ref() }) else {
        return Err(last_wsa_error());
    };
    let port = u16::from_be(service.s_port as u16);
    let (name, protocol) = (text_at(service.s_name), text_at(service.s_proto));
    Ok((name, port, protocol, texts_at(service.s_aliases)))
}

fn service_by_name(name: &str, protocol: Option<&str>) -> Result<Service, i32> {
    init();
    let (name, protocol) = (ansi(name), protocol.map(ansi));
    // SAFETY: the strings end in NUL.
    service_at(unsafe { getservbyname(name.as_ptr(), pointer(&protocol)) })
}

fn service_by_port(port: u16, protocol: Option<&str>) -> Result<Service, i32> {
    init();
    let protocol = protocol.map(ansi);
    // SAFETY: the string ends in NUL.
    service_at(unsafe { getservbyport(i32::from(port.to_be()), pointer(&protocol)) })
}

#[test]
fn services_have_names_and_ports() {
    for found in [
        service_by_name("http", None),
        service_by_name("HTTP", Some("tcp")),
        service_by_name("http", Some("TCP")),
        service_by_port(80, None),
        service_by_port(80, Some("tcp")),
    ] {
        let (name, port, protocol, _aliases) = found.expect("http");
        assert_eq!((name.as_str(), port, protocol.as_str()), ("http", 80, "tcp"));
    }
    let (name, port, protocol, _aliases) = service_by_name("tftp", None).expect("tftp");
    assert_eq!((name.as_str(), port, protocol.as_str()), ("tftp", 69, "udp"));
}

#[test]
fn services_that_are_not_there_are_no_data() {
    for found in [
        service_by_name("nonesuch", None),
        service_by_name("http", Some("nonesuch")),
        service_by_name("", None),
        service_by_port(54_321, None),
    ] {
        assert_eq!(found, Err(WSANO_DATA));
    }
}

/// Microsoft's page: `name` matches the aliases too.
#[test]
fn services_are_found_by_their_aliases() {
    differs_on_wine(|| {
        let (name, _port, _protocol, aliases) = service_by_name("www", Some("tcp")).expect("www");
        assert_eq!(name, "http");
        assert!(aliases.contains(&"www".into()));
    });
}

/// A protocol's name and number, or the WSA error.
fn protocol_at(record: *mut PROTOENT) -> Result<(String, i16), i32> {
    // SAFETY: the callers pass what Winsock returned; it is this thread's until its next call.
    let Some(protocol) = (unsafe { record.as_ref() }) else {
        return Err(last_wsa_error());
    };
    assert!(!protocol.p_aliases.is_null());
    Ok((text_at(protocol.p_name), protocol.p_proto))
}

#[test]
fn protocols_have_names_and_numbers() {
    init();
    let by_name = |name: PCSTR| {
        // SAFETY: the callers pass literals that end in NUL.
        protocol_at(unsafe { getprotobyname(name) })
    };
    let by_number = |number| {
        // SAFETY: no memory is passed.
        protocol_at(unsafe { getprotobynumber(number) })
    };
    assert_eq!(by_name(c"tcp".as_ptr().cast()), Ok(("tcp".into(), 6)));
    assert_eq!(by_name(c"UDP".as_ptr().cast()), Ok(("udp".into(), 17)));
    assert_eq!(by_number(1), Ok(("icmp".into(), 1)));
    assert_eq!(by_name(c"nonesuch".as_ptr().cast()), Err(WSANO_DATA));
    assert_eq!(by_number(-1), Err(WSANO_DATA));
}

#[test]
fn records_belong_to_the_thread() {
    init();
    // SAFETY: the names end in NUL; each record is its thread's until that thread's next call.
    unsafe {
        let here = getservbyname(c"http".as_ptr().cast(), null());
        let there = thread::spawn(|| getservbyname(c"tftp".as_ptr().cast(), null()).addr());
        let there = there.join().expect("no panic");
        assert!(!here.is_null() && there != 0);
        assert_eq!(text_at((*here).s_name), "http");
    }
}

/// Wine asks for start-up in gethostbyname only.
#[test]
fn r005_names_need_start_up() {
    alone("r005_names_need_start_up", || {
        // SAFETY: the names end in NUL, the buffers are as long as said.
        unsafe {
            assert!(gethostbyname(c"localhost".as_ptr().cast()).is_null());
            assert_eq!(WSAGetLastError(), WSANOTINITIALISED);
            differs_on_wine(|| {
                let mut name = [0; 256];
                assert_eq!(gethostname(name.as_mut_ptr(), 256), SOCKET_ERROR);
                assert_eq!(WSAGetLastError(), WSANOTINITIALISED);
            });
            differs_on_wine(|| {
                assert!(getservbyname(c"http".as_ptr().cast(), null()).is_null());
                assert_eq!(WSAGetLastError(), WSANOTINITIALISED);
            });
            differs_on_wine(|| {
                let mut list = null_mut();
                let node = c"127.0.0.1".as_ptr().cast();
                let code = getaddrinfo(node, null(), null(), &raw mut list);
                assert_eq!(code, WSANOTINITIALISED);
            });
        }
    });
}

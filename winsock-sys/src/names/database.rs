//! The services and protocols that have names: those of /etc/services and /etc/protocols, and the
//! few behind them that every Windows knows, for a container that has neither file.

use std::fs;

/// One name of a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub name: String,
    pub aliases: Vec<String>,
    /// A port in host order, or the number of a protocol.
    pub number: u16,
    /// `tcp` or `udp` for a service; empty for a protocol.
    pub protocol: String,
}

/// What an [`Entry`] is asked for.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    Name(&'a str),
    Number(u16),
}

impl Entry {
    /// Names are compared as Windows compares them: without regard to case, aliases included.
    fn answers(&self, key: Key) -> bool {
        let same = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
        match key {
            Key::Number(number) => self.number == number,
            Key::Name(wanted) => {
                same(&self.name, wanted) || self.aliases.iter().any(|alias| same(alias, wanted))
            }
        }
    }
}

/// The first service with that name or port, of that protocol or of any.
pub fn service(key: Key, protocol: Option<&str>) -> Option<Entry> {
    let fits = |entry: &Entry| {
        entry.answers(key) && protocol.is_none_or(|name| entry.protocol.eq_ignore_ascii_case(name))
    };
    find("/etc/services", SERVICES, fits)
}

/// The protocol with that name or number.
pub fn protocol(key: Key) -> Option<Entry> {
    find("/etc/protocols", PROTOCOLS, |entry| entry.answers(key))
}

fn find(path: &str, known: &str, fits: impl Fn(&Entry) -> bool) -> Option<Entry> {
    // An unreadable file is a missing file: the known entries are behind it.
    let file = fs::read_to_string(path).unwrap_or_default();
    file.lines().chain(known.lines()).filter_map(parse).find(fits)
}

/// `name number[/protocol] aliases... # comment`
fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (name, number) = (words.next()?, words.next()?);
    let (number, protocol) = number.split_once('/').unwrap_or((number, ""));
    Some(Entry {
        name: name.into(),
        aliases: words.map(String::from).collect(),
        number: number.parse().ok()?,
        protocol: protocol.into(),
    })
}

const SERVICES: &str = "\
echo 7/tcp
echo 7/udp
discard 9/tcp sink null
discard 9/udp sink null
systat 11/tcp users
daytime 13/tcp
daytime 13/udp
qotd 17/tcp quote
chargen 19/tcp ttytst source
chargen 19/udp ttytst source
ftp-data 20/tcp
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp mail
time 37/tcp timserver
time 37/udp timserver
nameserver 42/tcp name
nicname 43/tcp whois
domain 53/tcp
domain 53/udp
bootps 67/udp dhcps
bootpc 68/udp dhcpc
tftp 69/udp
finger 79/tcp
http 80/tcp www www-http
kerberos 88/tcp krb5 kerberos-sec
kerberos 88/udp krb5 kerberos-sec
pop3 110/tcp postoffice
sunrpc 111/tcp rpcbind portmap
sunrpc 111/udp rpcbind portmap
nntp 119/tcp usenet
ntp 123/udp
epmap 135/tcp loc-srv
netbios-ns 137/udp nbname
netbios-dgm 138/udp nbdatagram
netbios-ssn 139/tcp nbsession
imap 143/tcp imap4
snmp 161/udp
snmptrap 162/udp snmp-trap
ldap 389/tcp
https 443/tcp MCom
https 443/udp MCom
microsoft-ds 445/tcp
syslog 514/udp
ldaps 636/tcp sldap
imaps 993/tcp imap4
pop3s 995/tcp spop3
ms-sql-s 1433/tcp
radius 1812/udp
ms-wbt-server 3389/tcp
";

const PROTOCOLS: &str = "\
ip 0 IP
icmp 1 ICMP
ggp 3 GGP
tcp 6 TCP
egp 8 EGP
pup 12 PUP
udp 17 UDP
hmp 20 HMP
xns-idp 22 XNS-IDP
rdp 27 RDP
ipv6 41 IPv6
ipv6-route 43 IPv6-Route
ipv6-frag 44 IPv6-Frag
esp 50 ESP
ah 51 AH
ipv6-icmp 58 IPv6-ICMP
ipv6-nonxt 59 IPv6-NoNxt
ipv6-opts 60 IPv6-Opts
rvd 66 RVD
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let entry = parse("http\t\t80/tcp\t\twww web # World Wide Web").unwrap();
        assert_eq!(
            (entry.name.as_str(), entry.number, entry.protocol.as_str()),
            ("http", 80, "tcp")
        );
        assert_eq!(entry.aliases, ["www", "web"]);
        for line in ["", "# 80/tcp", "name", "name x/tcp", "name 65536/tcp"] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert!(SERVICES.lines().chain(PROTOCOLS.lines()).all(|line| parse(line).is_some()));
    }

    #[test]
    fn both_files_and_neither() {
        for (key, protocol) in [
            (Key::Name("http"), None),
            (Key::Name("HTTP"), Some("TCP")),
            (Key::Name("www"), Some("tcp")),
            (Key::Number(80), None),
        ] {
            let known = service(key, protocol).unwrap();
            assert_eq!((known.name.as_str(), known.number), ("http", 80));
        }
        assert_eq!(service(Key::Name("http"), Some("nonesuch")), None);
        assert_eq!(service(Key::Name(""), None), None);
        assert_eq!(protocol(Key::Name("Udp")).unwrap().number, 17);
        assert_eq!(protocol(Key::Number(6)).unwrap().name, "tcp");
        assert_eq!(protocol(Key::Number(999)), None);
        let tcp = |entry: &Entry| entry.answers(Key::Name("tcp"));
        assert_eq!(find("/nonesuch", PROTOCOLS, tcp).unwrap().number, 6);
    }
}

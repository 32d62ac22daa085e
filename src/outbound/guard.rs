//! Which addresses may be reached, and the resolver that gives no others.
//!
//! Knows nothing of HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use crate::domain::webhook::Reach;

/// Blocks of IPv4 that are no part of the public internet, with the bits of their prefix: IANA's special-purpose registry,
/// multicast, what is reserved, and the address at which Azure's machines meet their host.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The one block of IPv6 that is handed out for the public internet. Loopback, private, link-local and multicast addresses lie
/// outside of it, and so do those that stand for an IPv4 address (mapped, compatible, NAT64).
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// What is special within it: protocols such as Teredo, documentation, and 6to4, which stands for an IPv4 address.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Tells addresses that may be reached from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard(pub(super) Reach);

impl Guard {
    /// Whether it may be reached.
    pub(super) fn allows(self, address: IpAddr) -> bool {
        is_public(address) || self.0 == Reach::ThisMachine && address.is_loopback()
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|block| is_in_v4(address, block)),
        IpAddr::V6(address) => {
            is_in_v6(address, &PUBLIC_V6) && !SPECIAL_V6.iter().any(|block| is_in_v6(address, block))
        }
    }
}

fn is_in_v4(address: Ipv4Addr, (block, bits): &(Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= *bits
}

fn is_in_v6(address: Ipv6Addr, (block, bits): &(Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= *bits
}

/// A name leads to no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(super) struct ForbiddenAddress;

/// Looks names up as the system does, and gives the addresses that may be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver(pub(super) Guard);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            // The port is put in by whoever connects.
            let found = lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|one| guard.allows(one.ip())).collect();
            if allowed.is_empty() {
                return Err(ForbiddenAddress.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn allows(reach: Reach, address: &str) -> bool {
        Guard(reach).allows(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_internet_are_allowed() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450:4001::1",
        ] {
            assert!(allows(Reach::Public, address), "{address}");
        }
    }

    #[test]
    fn all_others_are_refused_in_whatever_form() {
        for address in [
            // This network, private ones, this machine, link-local with the metadata service, carriers' NAT.
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "169.254.129.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            // Azure's own.
            "168.63.129.16",
            // Protocols, documentation, benchmarks, multicast, reserved, broadcast.
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            // The same in IPv6.
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            // IPv4 inside IPv6: mapped, compatible, NAT64, 6to4.
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:1.1.1.1",
            "::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "2002:a00:1::1",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(!allows(Reach::Public, address), "{address}");
            let is_this_machine = address.starts_with("127.") || address == "::1";
            assert_eq!(allows(Reach::ThisMachine, address), is_this_machine, "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_special_is_refused(bits in any::<u32>(), rest in any::<u128>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            let is_special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            assert!(!(is_special && is_public(v4.into())), "{v4}");
            for v6 in [v4.to_ipv6_mapped(), v4.to_ipv6_compatible()] {
                assert!(!is_public(v6.into()), "{v6}");
            }
            let v6 = Ipv6Addr::from_bits(rest);
            let is_special = v6.is_loopback() || v6.is_multicast() || v6.is_unspecified()
                || v6.is_unique_local() || v6.is_unicast_link_local();
            assert!(!(is_special && is_public(v6.into())), "{v6}");
        }
    }

    #[tokio::test]
    async fn name_of_this_machine_leads_nowhere_unless_it_is_allowed() {
        let resolve = |reach| Resolver(Guard(reach)).resolve("localhost".parse().unwrap());
        let Err(error) = resolve(Reach::Public).await else { panic!("it was resolved") };
        assert!(error.is::<ForbiddenAddress>());
        let found: Vec<_> = resolve(Reach::ThisMachine).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|one| one.ip().is_loopback()), "{found:?}");
    }
}

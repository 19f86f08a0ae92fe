//! The local CA: a key that signs certificates for the names that the emulator answers for, and for no others. This
//! module keeps the CA in memory; `store` keeps it in files, and `policy` decides for which hosts certificates are
//! signed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use super::super::policy::{PERMITTED, is_permitted};
use super::{CaError, Identity, der};
use crate::model::hex;
use crate::model::time::Timestamp;

/// How long a CA and its certificates are valid. Apple's systems reject server certificates that are valid for more
/// than 825 days.
pub const LIFETIME: Duration = Duration::from_secs(730 * DAY_S);
const DAY_S: u64 = 24 * 60 * 60;
/// The IPv4 networks for which the CA may sign, as address and prefix length: loopback and private networks.
const PERMITTED_V4: [([u8; 4], u8); 4] =
    [([127, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
/// The longest common name, in characters (RFC 5280, ub-common-name). A longer name is listed only among the
/// alternative names.
const COMMON_NAME_LEN_MAX: usize = 64;
/// The length of a serial number in bytes. At most 20 are allowed, and the first must not have its sign bit set (RFC
/// 5280 §4.1.2.2).
const SERIAL_LEN: usize = 16;
const ORGANIZATION: &str = "fauxfax (a local emulator: for development only)";

/// A CA that can sign certificates.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    /// The key of all certificates that this CA signs. This key never leaves the process.
    leaf_key: KeyPair,
    /// The start and end of the validity of the CA and of everything that it signs.
    lifetime: (Timestamp, Timestamp),
}

impl Authority {
    /// Creates a CA, and returns it with its key in PEM.
    ///
    /// # Errors
    /// Fails if the system provides no randomness.
    pub fn create(now: Timestamp) -> Result<(Self, String), CaError> {
        let key = KeyPair::generate()?;
        let key_pem = key.serialize_pem();
        // Valid from yesterday, for clients whose clocks are slow.
        let yesterday = Timestamp::from_seconds(now.seconds() - 86_400);
        let mut params = params(&key);
        set_lifetime(&mut params, (yesterday, now.after(LIFETIME)));
        let pem = params.self_signed(&key)?.pem();
        // Loaded like a stored CA, so that it passes the same checks.
        Ok((Self::load(&pem, &key_pem, now)?, key_pem))
    }

    /// Loads the CA with this certificate and key, both in PEM.
    ///
    /// # Errors
    /// Fails if the certificate or the key can't be parsed, the two don't match, the CA was not made by fauxfax, its
    /// limits differ from those of this version, or it has expired.
    pub fn load(certificate_pem: &str, key_pem: &str, now: Timestamp) -> Result<Self, CaError> {
        let certificate =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| CaError::NoCertificate)?;
        let key = KeyPair::from_pem(key_pem).map_err(|_| CaError::NoKey)?;
        let fields = der::fields(&certificate).ok_or(CaError::NoCertificate)?;
        let lifetime = (fields.not_before, fields.not_after);
        if fields.public_key != key.subject_public_key_info() {
            return Err(CaError::KeyOfAnother);
        }
        let params = params(&key);
        // Only a certificate made here has this subject. Some other CA might sign for anyone, which would put clients
        // that trust it at risk.
        let expected = params.self_signed(&key)?;
        let expected = der::fields(expected.der()).ok_or(CaError::NoCertificate)?;
        if expected.subject != fields.subject {
            return Err(CaError::Foreign);
        }
        // The limits are in the extensions, which depend only on this code and the key.
        if expected.extensions != fields.extensions {
            return Err(CaError::OtherLimits);
        }
        if now > lifetime.1 {
            return Err(CaError::Expired(lifetime.1));
        }
        let pem = certificate_pem.to_owned();
        let leaf_key = KeyPair::generate()?;
        Ok(Self { certificate, pem, issuer: Issuer::new(params, key), leaf_key, lifetime })
    }

    /// Returns the certificate, in DER.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Returns the certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a certificate for an identity, and returns it with its key.
    ///
    /// # Errors
    /// Fails if the name can't be put in a certificate, or is one that this CA may not sign for.
    pub fn sign(&self, identity: &Identity) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), CaError> {
        let names = identity.names().ok_or_else(|| CaError::NotPermitted(identity.to_string()))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if identity.common_name().len() <= COMMON_NAME_LEN_MAX {
            params.distinguished_name.push(DnType::CommonName, identity.common_name());
        }
        params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
        params.subject_alt_names = names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(self.serial(identity));
        set_lifetime(&mut params, self.lifetime);
        let certificate = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der());
        Ok((certificate.der().clone(), PrivateKeyDer::Pkcs8(key)))
    }

    /// Returns a serial number that differs for each name and each run: Firefox rejects certificates of one CA that
    /// share a serial number.
    fn serial(&self, identity: &Identity) -> SerialNumber {
        let digest = Sha256::new()
            .chain_update(self.leaf_key.subject_public_key_info())
            .chain_update(identity.to_string())
            .finalize();
        let mut serial = digest[..SERIAL_LEN].to_vec();
        // If the highest bit were set, the number would be negative.
        serial[0] &= 0x7f;
        SerialNumber::from_slice(&serial)
    }
}

impl std::fmt::Debug for Authority {
    /// Formats the CA without its keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

impl Identity {
    /// Returns the common name to put in the subject.
    fn common_name(&self) -> &str {
        match self {
            Self::Host(name) => name,
            Self::Machine(_) => "localhost",
        }
    }

    /// Returns the alternative names of the certificate, or `None` if the CA may not sign for one of them.
    fn names(&self) -> Option<Vec<SanType>> {
        let name = |text: &str| text.try_into().ok().map(SanType::DnsName);
        match self {
            Self::Host(host) => Some(vec![name(host).filter(|_| is_permitted(host))?]),
            Self::Machine(used) => {
                let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                // The CA may not sign for public addresses.
                let used = Some(*used).filter(|ip| is_private(*ip) && !loopback.contains(ip));
                let ips = loopback.into_iter().chain(used).map(SanType::IpAddress);
                Some(name("localhost").into_iter().chain(ips).collect())
            }
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

/// Returns the contents of the CA's certificate except its dates. The CA's name contains part of the key's hash, so
/// that several CAs can be distinguished in a list of trusted ones.
fn params(key: &KeyPair) -> CertificateParams {
    let digest = Sha256::digest(key.subject_public_key_info());
    let mark = hex::encode(&digest[..4]);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("fauxfax local CA {mark}"));
    params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
    // This CA may not sign the certificates of other CAs.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Name constraints don't cover e-mail addresses or code signing, so the purposes are limited as well.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let names = PERMITTED.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned()));
    let v4 = PERMITTED_V4.iter().map(|(ip, prefix)| CidrSubnet::from_v4_prefix(*ip, *prefix));
    let v6 = [(Ipv6Addr::LOCALHOST, 128), (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)];
    let v6 = v6.into_iter().map(|(ip, prefix)| CidrSubnet::from_v6_prefix(ip.octets(), prefix));
    let permitted_subtrees = names.chain(v4.chain(v6).map(GeneralSubtree::IpAddress)).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params
}

/// Sets the dates, in whole days, which suffice for certificates.
fn set_lifetime(params: &mut CertificateParams, (from, until): (Timestamp, Timestamp)) {
    let day = |moment: Timestamp| {
        let moment = jiff::Timestamp::from_second(moment.seconds()).unwrap_or_default();
        let date = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(from);
    params.not_after = day(until);
}

/// Returns a CA with the same subject but other limits, as an earlier version would create it, and its key, both in
/// PEM.
#[cfg(test)]
pub(super) fn with_other_limits(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = params(&key);
    let permitted_subtrees = names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    (params.self_signed(&key).expect("signed").pem(), key.serialize_pem())
}

#[cfg(test)]
mod tests {
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::{CertificateError, RootCertStore};
    use rustls_pki_types::{ServerName, UnixTime};

    use super::*;

    const NOW: Timestamp = Timestamp::from_const_seconds(1_795_600_000);

    fn verify(authority: &Authority, identity: &Identity, name: &str) -> Result<(), rustls::Error> {
        let (leaf, _) = authority.sign(identity).expect("signed");
        verify_leaf(authority, &leaf, name)
    }

    fn verify_leaf(authority: &Authority, leaf: &CertificateDer<'_>, name: &str) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().clone()).expect("a root");
        let provider = rustls::crypto::ring::default_provider().into();
        let verifier = WebPkiServerVerifier::builder_with_provider(std::sync::Arc::new(roots), provider).build();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.seconds().unsigned_abs()));
        verifier.expect("a verifier").verify_server_cert(leaf, &[], &name, &[], now).map(drop)
    }

    fn host(name: &str) -> Identity {
        Identity::Host(name.into())
    }

    #[test]
    fn a_certificate_is_valid_only_for_its_own_name() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        let names =
            ["fax.twilio.com", "fax.sydney.au1.twilio.com", "media.twiliocdn.com", "x.signalwire.com", "fauxfax"];
        for name in names {
            assert_eq!(verify(&authority, &host(name), name), Ok(()), "{name}");
        }
        let other = verify(&authority, &host("fax.twilio.com"), "api.twilio.com").expect_err("another name");
        assert!(matches!(other, rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })));
    }

    #[test]
    fn this_machines_certificate_covers_its_loopback_names_and_the_private_address_used() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        let machine = Identity::Machine([192, 168, 1, 5].into());
        for name in ["localhost", "127.0.0.1", "::1", "192.168.1.5"] {
            assert_eq!(verify(&authority, &machine, name), Ok(()), "{name}");
        }
        let public = Identity::Machine([203, 0, 113, 5].into());
        assert!(verify(&authority, &public, "203.0.113.5").is_err());
        assert_eq!(verify(&authority, &public, "127.0.0.1"), Ok(()));
    }

    #[test]
    fn no_certificate_is_signed_outside_the_permitted_names() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        for name in ["example.com", "twilio.com.example.com", "eviltwilio.com", "com", "", "\u{e9}.twilio.com"] {
            assert!(matches!(authority.sign(&host(name)), Err(CaError::NotPermitted(_))), "{name}");
        }
    }

    #[test]
    fn a_leaked_ca_key_can_forge_certificates_only_for_permitted_names() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        // Signs as a thief would, bypassing the checks of `sign`.
        let forged = |name: &str| {
            let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            set_lifetime(&mut params, authority.lifetime);
            let leaf = params.signed_by(&authority.leaf_key, &authority.issuer).expect("signed");
            verify_leaf(&authority, leaf.der(), name)
        };
        for name in [
            "fax.twilio.com",
            "fax.dublin.ie1.twilio.com",
            "media.twiliocdn.com",
            "x.signalwire.com",
            "fauxfax",
            "fax.localhost",
            "fax.test",
            "host.docker.internal",
            "127.8.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "::1",
            "fd00::1",
        ] {
            assert_eq!(forged(name), Ok(()), "{name}");
        }
        for name in [
            "example.com",
            "x.signalwire.net",
            "www.twiliocdn.com",
            "twiliocdn.com",
            "vault.internal",
            "metadata.google.internal",
            "internal",
            "evildocker.internal",
            "mytest",
            "localhost.example.com",
            "8.8.8.8",
            "172.32.0.1",
            "192.169.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "2001:db8::1",
            "fe80::1",
            "::2",
        ] {
            assert!(forged(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_constraints_are_critical_and_allow_only_server_certificates() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        let holds = |part: &[u8]| authority.certificate().windows(part.len()).any(|window| window == part);
        // id-ce-nameConstraints, critical; id-kp-serverAuth as the only purpose.
        assert!(holds(&[0x06, 3, 0x55, 0x1d, 0x1e, 0x01, 1, 0xff]));
        assert!(holds(&[0x30, 10, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]));
    }

    #[test]
    fn a_ca_with_different_constraints_is_not_used() {
        for names in [&["internal"][..], &["twilio.com", "test"], &[]] {
            let (pem, key) = with_other_limits(names);
            assert!(matches!(Authority::load(&pem, &key, NOW), Err(CaError::OtherLimits)), "{names:?}");
        }
    }

    #[test]
    fn a_ca_is_read_back_unchanged_and_lasts_two_years() {
        let (authority, key) = Authority::create(NOW).expect("a CA");
        let again = Authority::load(authority.pem(), &key, NOW).expect("the same");
        assert_eq!(again.certificate(), authority.certificate());
        let last_day = NOW.after(LIFETIME.saturating_sub(Duration::from_secs(2 * DAY_S)));
        assert!(Authority::load(authority.pem(), &key, last_day).is_ok());
        let late = Authority::load(authority.pem(), &key, NOW.after(LIFETIME)).expect_err("expired");
        assert!(matches!(late, CaError::Expired(_)), "{late}");
    }

    #[test]
    fn a_ca_from_another_program_and_a_mismatched_pair_are_refused() {
        let (ours, key) = Authority::create(NOW).expect("a CA");
        let (_, other_key) = Authority::create(NOW).expect("a CA");
        assert!(matches!(Authority::load(ours.pem(), &other_key, NOW), Err(CaError::KeyOfAnother)));
        let stranger_key = KeyPair::generate().expect("a key");
        let stranger = CertificateParams::default().self_signed(&stranger_key).expect("a certificate").pem();
        let error = Authority::load(&stranger, &stranger_key.serialize_pem(), NOW).expect_err("foreign");
        assert!(matches!(error, CaError::Foreign), "{error}");
        assert!(matches!(Authority::load("", &key, NOW), Err(CaError::NoCertificate)));
        assert!(matches!(Authority::load(ours.pem(), "", NOW), Err(CaError::NoKey)));
    }

    #[test]
    fn keys_are_not_printed_and_each_name_has_its_own_serial_number() {
        let (authority, _) = Authority::create(NOW).expect("a CA");
        let serial = |name: &str| authority.serial(&host(name)).to_bytes();
        assert_ne!(serial("fax.twilio.com"), serial("api.twilio.com"));
        assert!(!format!("{authority:?}").contains("key"));
    }
}

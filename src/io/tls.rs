//! TLS of the client: whom it trusts, and what went wrong in Twilio's terms. It opens no connection.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::client::ClientError;
use super::connect::Stream;
use crate::model::webhook::ExchangeFailure;

/// What makes connections secure.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// One that trusts the public roots and those given; or anyone at all.
    pub(super) fn new(trust_ca: &[Vec<u8>], insecure: bool) -> Result<Self, ClientError> {
        Ok(Self(TlsConnector::from(Arc::new(client_config(trust_ca, insecure)?))))
    }

    /// Shakes hands with the URL's host.
    pub(super) async fn connect(&self, url: &Url, stream: TcpStream) -> Result<Stream, ExchangeFailure> {
        match self.0.connect(server_name(url)?, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(failure(&error).unwrap_or_else(|| ExchangeFailure::TlsHandshake(error.to_string()))),
        }
    }
}

fn client_config(trust_ca: &[Vec<u8>], insecure: bool) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    if insecure {
        let anyone = Arc::new(Anyone { provider });
        return Ok(builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth());
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in trust_ca {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| ClientError::BadCertificate(error.to_string()))?;
            roots.add(certificate).map_err(|error| ClientError::BadCertificate(error.to_string()))?;
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The name a certificate must bear.
fn server_name(url: &Url) -> Result<ServerName<'static>, ExchangeFailure> {
    let invalid = || ExchangeFailure::InvalidUrl(format!("{url} has no host that a certificate could bear"));
    match url.host().ok_or_else(invalid)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| invalid()),
        Host::Ipv4(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(ip).into())),
        Host::Ipv6(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(ip).into())),
    }
}

/// What a failed connection died of, where TLS was what failed.
pub(super) fn failure(error: &io::Error) -> Option<ExchangeFailure> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let text = error.to_string();
    let rustls::Error::InvalidCertificate(reason) = error else { return Some(ExchangeFailure::TlsHandshake(text)) };
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what is not named is untrusted")]
    Some(match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ExchangeFailure::CertificateName(text)
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => ExchangeFailure::CertificateExpired(text),
        CertificateError::UnknownIssuer => ExchangeFailure::CertificateUntrusted(format!(
            "{text} (give the certificate, or its CA's, with --trust-ca, or take any with --insecure-webhooks)"
        )),
        _ => ExchangeFailure::CertificateUntrusted(text),
    })
}

/// Trusts any certificate (`--insecure-webhooks`); the handshake itself must still be right.
#[derive(Debug)]
struct Anyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! TLS for the HTTP client: decides which certificates to trust, and turns failures into the `ExchangeFailure`s for
//! which the dialects have error codes.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::certificate::common_name_alone;
use super::options::ClientError;
use super::stream::Stream;
use crate::model::webhook::ExchangeFailure;

/// The advice in errors that may be due to a port that doesn't speak TLS at all.
const PLAIN_HINT: &str = "if this port serves plain HTTP, write http:// in the URL";

/// The TLS client, which secures connections that are already open.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// Creates a TLS client that trusts the public roots and the given certificates, or any certificate if `insecure`.
    pub(super) fn new(trust_ca: &[Vec<u8>], insecure: bool) -> Result<Self, ClientError> {
        Ok(Self(TlsConnector::from(Arc::new(client_config(trust_ca, insecure)?))))
    }

    /// Performs the handshake with the URL's host.
    pub(super) async fn connect(&self, url: &Url, stream: TcpStream) -> Result<Stream, ExchangeFailure> {
        match self.0.connect(server_name(url)?, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(failure(&error).unwrap_or_else(|| {
                ExchangeFailure::TlsHandshake(format!(
                    "the server closed the connection during the handshake ({error}); {PLAIN_HINT}"
                ))
            })),
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
    let mut given = Vec::new();
    for pem in trust_ca {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| ClientError::BadCertificate(error.to_string()))?;
            roots.add(certificate.clone()).map_err(|error| ClientError::BadCertificate(error.to_string()))?;
            given.push(certificate);
        }
    }
    let by_root = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let by_root = by_root.map_err(|error| ClientError::Tls(error.to_string()))?;
    let verifier = Arc::new(Verifier { by_root, given });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// A verifier that trusts certificates issued under a trusted root and, as curl does, the given certificates
/// themselves. The latter is needed because `openssl req -x509` makes server certificates that claim to be CAs.
#[derive(Debug)]
struct Verifier {
    by_root: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.by_root.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let is_given = || self.given.iter().any(|given| given == end_entity);
        match &verified {
            Err(rustls::Error::InvalidCertificate(reason)) if is_given() => {
                // webpki checks the dates before the chain, so the dates are good if it rejects the chain.
                let is_chain = matches!(reason, CertificateError::UnknownIssuer | CertificateError::BadSignature)
                    || is_ca_as_server(reason);
                let is_named =
                    is_chain && verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name).is_ok();
                let is_wrong_name = matches!(
                    reason,
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
                );
                if is_named || ((is_chain || is_wrong_name) && is_common_name(end_entity, server_name)) {
                    return Ok(ServerCertVerified::assertion());
                }
                // The certificate is trusted because it was given, so the problem to report is its name, not its chain.
                if is_chain { Err(CertificateError::NotValidForName.into()) } else { verified }
            }
            _ => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_root.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_root.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_root.supported_verify_schemes()
    }
}

/// Returns whether a CA's certificate was presented as the server's own. rustls reports this reason only as text.
fn is_ca_as_server(reason: &CertificateError) -> bool {
    matches!(reason, CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

/// Returns whether the server's name is the common name of a certificate without alternative names.
fn is_common_name(certificate: &CertificateDer<'_>, server_name: &ServerName<'_>) -> bool {
    common_name_alone(certificate).is_some_and(|name| name.eq_ignore_ascii_case(&server_name.to_str()))
}

/// Returns the name that the server's certificate must be valid for.
fn server_name(url: &Url) -> Result<ServerName<'static>, ExchangeFailure> {
    let invalid = || ExchangeFailure::InvalidUrl(format!("{url} has no host that a certificate can be valid for"));
    match url.host().ok_or_else(invalid)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| invalid()),
        Host::Ipv4(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(ip).into())),
        Host::Ipv6(ip) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(ip).into())),
    }
}

/// Returns the TLS failure behind an I/O error, if there is one.
pub(super) fn failure(error: &io::Error) -> Option<ExchangeFailure> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let text = error.to_string();
    let handshake = |why: String| Some(ExchangeFailure::TlsHandshake(why));
    let any = "accept any with --insecure-webhooks";
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "foreign enums that may grow; errors that aren't named get general advice"
    )]
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            handshake(format!("the server doesn't speak TLS on this port; {PLAIN_HINT}"))
        }
        rustls::Error::AlertReceived(alert) => handshake(format!(
            "the server refused the handshake with the alert {alert:?}; it must support TLS 1.2 or 1.3"
        )),
        rustls::Error::InvalidCertificate(reason) => Some(match reason {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ExchangeFailure::CertificateName(format!(
                    "{text}; make one whose subjectAltName is the host of the URL (openssl req -x509 -addext \
                     subjectAltName=DNS:localhost …), call the app by a name that it has, or {any}"
                ))
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                ExchangeFailure::CertificateExpired(format!("{text}; make a new one, or {any}"))
            }
            CertificateError::UnknownIssuer => ExchangeFailure::CertificateUntrusted(format!(
                "{text}; give the certificate, or its CA's, with --trust-ca, or {any}"
            )),
            reason if is_ca_as_server(reason) => ExchangeFailure::CertificateUntrusted(format!(
                "the server uses a CA's certificate, such as openssl req -x509 creates, as its own; pass exactly this \
                 certificate with --trust-ca, or {any}"
            )),
            _ => ExchangeFailure::CertificateUntrusted(format!("{text}; make another one, or {any}")),
        }),
        _ => handshake(text),
    }
}

/// A verifier that trusts any certificate (`--insecure-webhooks`). Handshake signatures are still checked.
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

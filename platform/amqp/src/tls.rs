//! TLS by rustls, so that no OpenSSL must be installed.
//!
//! With a CA file, only that authority is trusted, so an image without certificates can connect, too. Without one, the
//! authorities of the machine are trusted.

use std::io;

use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::disconnect::TlsFailed;

/// Knows which authorities are trusted.
pub(super) fn connector(ca: Option<&str>) -> io::Result<RustlsConnector> {
    let config = match ca {
        None => RustlsConnectorConfig::new_with_native_certs().map_err(|cause| {
            let help = "this machine has no certificates of authorities; AMQP_CA_FILE can name one";
            TlsFailed(format!("{help} ({cause})"))
        })?,
        Some(pem) => {
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            let certificates = certificates.map_err(|cause| TlsFailed(format!("AMQP_CA_FILE: {cause}")))?;
            let mut config = RustlsConnectorConfig::default();
            config.add_parsable_certificates(certificates);
            config
        }
    };
    config.connector_with_no_client_auth()
}

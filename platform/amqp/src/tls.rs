//! The encrypted connection, by rustls: no OpenSSL, nothing to install.
//!
//! With a CA file, that authority alone is trusted, so an image without any certificates can connect too. Without one,
//! those of the machine are.

use std::io;

use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::disconnect::TlsFailed;

/// Knows whom to trust.
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

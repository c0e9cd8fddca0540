//! The keys and certificates of a control plane. Each control plane has new ones.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::error::{Error, Result};

/// The paths of the files, and the administrator's token.
pub(super) struct Keys {
    /// The certificate authority's certificate.
    pub(super) authority: PathBuf,
    /// The administrator's bearer token.
    pub(super) admin_token: String,
    pub(super) serving_certificate: PathBuf,
    pub(super) serving_key: PathBuf,
    /// `--token-auth-file`.
    pub(super) tokens: PathBuf,
    pub(super) service_account_private: PathBuf,
    pub(super) service_account_public: PathBuf,
}

impl Keys {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let issuer = CertifiedIssuer::self_signed(authority(), KeyPair::generate()?)?;
        let serving_pair = KeyPair::generate()?;
        let serving = serving()?.signed_by(&serving_pair, &issuer)?;
        let accounts = KeyPair::generate()?;
        let admin_token = token()?;
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
            Ok(path)
        };
        Ok(Self {
            authority: write("authority.crt", &issuer.pem())?,
            serving_certificate: write("serving.crt", &serving.pem())?,
            serving_key: write("serving.key", &serving_pair.serialize_pem())?,
            tokens: write("tokens.csv", &format!("{admin_token},admin,admin,system:masters\n"))?,
            service_account_private: write("service-accounts.key", &accounts.serialize_pem())?,
            service_account_public: write("service-accounts.pub", &accounts.public_key_pem())?,
            admin_token,
        })
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("kube-glue test bed");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn serving() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    params.distinguished_name = named("kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// A random bearer token: a part of the public key of a new, discarded key pair.
fn token() -> Result<String> {
    use std::fmt::Write as _;
    let key = KeyPair::generate()?;
    Ok(key.public_key_raw().iter().skip(1).take(32).fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

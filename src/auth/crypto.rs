//! Signatures by `ring`, which the TLS connections use, too: the two algorithms that are believed, and no others.
//!
//! The only place that names `ring::signature`. Does not know whose keys these are.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: signer, verifier_factory, key_utils: KeyUtils::new_unimplemented() };

/// Makes this the arithmetic of all tokens of the process.
pub(super) fn install() {
    // Another provider can only have been installed by this line before.
    _ = PROVIDER.install_default();
}

/// An RSA key of 2,048 bits or more.
struct Rs256(DecodingKey);
/// A key on the curve P-256.
struct Es256(DecodingKey);

fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    match algorithm {
        Algorithm::RS256 => Ok(Box::new(Rs256(key.clone()))),
        Algorithm::ES256 => Ok(Box::new(Es256(key.clone()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

impl Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.0.kind() else {
            return Err(signature::Error::new());
        };
        let key = RsaPublicKeyComponents { n, e };
        let verified = key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

impl Verifier<Vec<u8>> for Es256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let DecodingKeyKind::SecretOrDer(point) = self.0.kind() else { return Err(signature::Error::new()) };
        let verified = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature);
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Es256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

/// Nothing is signed in Azure.
#[cfg(not(feature = "emulator"))]
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[cfg(feature = "emulator")]
use signing::signer;

/// For the issuer of those who develop.
#[cfg(feature = "emulator")]
mod signing {
    use jsonwebtoken::signature::Signer;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

    use super::{Algorithm, EncodingKey, Error, ErrorKind, JwtSigner, signature};

    struct Es256(EcdsaKeyPair);

    pub(super) fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
        let Algorithm::ES256 = algorithm else { return Err(ErrorKind::InvalidAlgorithm.into()) };
        let chance = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_bytes(), &chance);
        Ok(Box::new(Es256(pair.map_err(|_| Error::from(ErrorKind::InvalidEcdsaKey))?)))
    }

    impl Signer<Vec<u8>> for Es256 {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
            let signed = self.0.sign(&SystemRandom::new(), message).map_err(|_| signature::Error::new())?;
            Ok(signed.as_ref().to_vec())
        }
    }

    impl JwtSigner for Es256 {
        fn algorithm(&self) -> Algorithm {
            Algorithm::ES256
        }
    }
}

//! How the program signs in to Azure; the only place that names `azure_identity`.
//!
//! Does not know what it signs in for.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};

use crate::config::Identity;

/// A source of tokens for this identity. Asks for none yet.
///
/// # Errors
/// When the machine lacks what the identity needs; a retry does not help.
pub fn credential(identity: &Identity) -> azure_core::Result<Arc<dyn TokenCredential>> {
    Ok(match identity {
        Identity::Managed { client_id } => {
            let options = ManagedIdentityCredentialOptions {
                user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                ..ManagedIdentityCredentialOptions::default()
            };
            ManagedIdentityCredential::new(Some(options))?
        }
        Identity::Developer => DeveloperToolsCredential::new(None)?,
    })
}

//! The settings about pictures: where they are kept, and from where anybody can read them.

#[cfg(feature = "emulator")]
use std::path::PathBuf;

#[cfg(feature = "emulator")]
use super::is_loopback;
use super::{Endpoint, Identity, Wrong, is_host};

#[cfg(feature = "emulator")]
const PLACES: &str = "https://<account>.blob.core.windows.net/<container>, or for development \
     `UseDevelopmentStorage=true`, http://127.0.0.1:<port>/devstoreaccount1/<container> or folder:<path>";
#[cfg(not(feature = "emulator"))]
const PLACES: &str = "https://<account>.blob.core.windows.net/<container>";
/// What `UseDevelopmentStorage=true` stands for.
#[cfg(feature = "emulator")]
const DEVELOPMENT: &str = "http://127.0.0.1:10000/devstoreaccount1/images";

/// Where pictures are kept, and where others find them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagesConfig {
    /// Where they are kept.
    pub place: ImagePlace,
    /// Which identity to use there.
    pub identity: Identity,
    /// The address that readers are sent to, without a slash at its end; without one the handler passes the bytes on.
    pub public_url: Option<String>,
}

/// Where pictures are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePlace {
    /// A container of Blob storage.
    Azure {
        /// Its address, over https.
        url: String,
    },
    /// A container in an Azurite on this machine.
    #[cfg(feature = "emulator")]
    Azurite {
        /// Its address, over http.
        url: String,
    },
    /// A folder on this machine.
    #[cfg(feature = "emulator")]
    Folder(PathBuf),
    /// A folder among the temporary files of this machine.
    #[cfg(feature = "emulator")]
    Temporary,
    /// Nowhere: pictures are neither taken nor shown.
    Unset,
}

pub(super) fn place(
    given: Option<String>,
    endpoint: &Option<Endpoint>,
    in_azure: bool,
) -> Result<ImagePlace, Wrong> {
    let Some(text) = given else { return Ok(beside(endpoint.as_ref())) };
    if let Some((host, container)) = text.strip_prefix("https://").and_then(|rest| rest.split_once('/'))
        && is_host(host)
        && is_container(container)
    {
        return Ok(ImagePlace::Azure { url: text.trim_end_matches('/').to_owned() });
    }
    if in_azure {
        return Err((
            Some(text),
            "https://<account>.blob.core.windows.net/<container>: nothing else outlives the app",
        ));
    }
    #[cfg(feature = "emulator")]
    {
        if text == "UseDevelopmentStorage=true" {
            return Ok(ImagePlace::Azurite { url: DEVELOPMENT.to_owned() });
        }
        let parts: Vec<_> = text.trim_end_matches('/').splitn(5, '/').collect();
        if is_loopback(&text)
            && let [_, _, host, "devstoreaccount1", container] = parts.as_slice()
            && is_host(host)
            && is_container(container)
        {
            return Ok(ImagePlace::Azurite { url: parts.join("/") });
        }
        if let Some(path) = text.strip_prefix("folder:").filter(|path| !path.is_empty()) {
            return Ok(ImagePlace::Folder(path.into()));
        }
    }
    Err((Some(text), PLACES))
}

/// Where pictures go when nobody says: as fleeting as the store beside them, and nowhere where that is for good.
fn beside(endpoint: Option<&Endpoint>) -> ImagePlace {
    match endpoint {
        #[cfg(feature = "emulator")]
        Some(Endpoint::Loopback(_) | Endpoint::Embedded) => ImagePlace::Temporary,
        Some(Endpoint::Azure(_)) | None => ImagePlace::Unset,
    }
}

/// Whether the rest of an address is the name of a container.
fn is_container(text: &str) -> bool {
    let name = text.strip_suffix('/').unwrap_or(text);
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

pub(super) fn public_url(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = given else { return Ok(None) };
    let url = text.trim_end_matches('/');
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    if is_host(host) && path.bytes().all(is_plain) {
        return Ok(Some(url.to_owned()));
    }
    Err((Some(text), "an https address without query, such as https://cdn.example.com/images"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn azure() -> Option<Endpoint> {
        Some(Endpoint::Azure("https://shop.documents.azure.com/".into()))
    }

    fn parsed(text: &str) -> Result<ImagePlace, Wrong> {
        place(Some(text.to_owned()), &azure(), false)
    }

    #[test]
    fn container_is_an_https_address_with_a_name() {
        let url = "https://shop.blob.core.windows.net/images";
        for text in [url.to_owned(), format!("{url}/")] {
            assert_eq!(parsed(&text), Ok(ImagePlace::Azure { url: url.to_owned() }));
        }
        for text in
            ["https://shop.blob.core.windows.net/", "https://a/Images", "http://a/images", "https://a/b/c"]
        {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pictures_are_kept_nowhere_beside_a_store_for_good() {
        assert_eq!(place(None, &azure(), true), Ok(ImagePlace::Unset));
    }

    #[test]
    fn public_address_is_plain_https() {
        let given = |text: &str| public_url(Some(text.to_owned()));
        assert_eq!(
            given("https://cdn.example.com/images/"),
            Ok(Some("https://cdn.example.com/images".into()))
        );
        for text in ["http://cdn.example.com", "https://", "https://a/b?sig=c", "https://a/b#c", "cdn"] {
            assert!(given(text).is_err(), "{text}");
        }
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn development_places_are_refused_in_azure() {
        for text in
            ["UseDevelopmentStorage=true", "folder:pictures", "http://127.0.0.1:1/devstoreaccount1/images"]
        {
            assert!(parsed(text).is_ok(), "{text}");
            assert!(place(Some(text.to_owned()), &azure(), true).is_err(), "{text}");
        }
        assert_eq!(place(None, &Some(Endpoint::Embedded), false), Ok(ImagePlace::Temporary));
    }
}

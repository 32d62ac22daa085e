//! The settings about mails: who sends them, from which address, and who of the staff gets any.

#[cfg(feature = "emulator")]
use std::path::PathBuf;

use super::{Identity, Mistake, Wrong, check, is_host};

/// Longest address, in characters (RFC 5321).
const ADDRESS_CHARS_MAX: usize = 254;
/// The sender of mails that nobody gets.
const FROM_DEFAULT: &str = "shop@shop.example";
#[cfg(feature = "emulator")]
const PLACES: &str = "https://<resource>.communication.azure.com, or for development folder:<path>";
#[cfg(not(feature = "emulator"))]
const PLACES: &str = "https://<resource>.communication.azure.com";
const ADDRESSES: &str = "an address such as shop@example.com, without a name";

/// How mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// Where they go.
    pub place: MailPlace,
    /// Which identity to use there.
    pub identity: Identity,
    /// The address that they come from.
    pub from: String,
    /// Who is told when stock is low, if anybody.
    pub staff: Option<String>,
}

/// Where mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailPlace {
    /// A Communication Services resource, which sends them.
    Azure {
        /// Its address, without a slash at its end.
        endpoint: String,
    },
    /// A folder on this machine, which keeps them.
    #[cfg(feature = "emulator")]
    Folder(PathBuf),
    /// Nowhere: none are written.
    Unset,
}

/// The settings but for the identity, which is not one of them.
pub(super) fn parse(
    mistakes: &mut Vec<Mistake>,
    lookup: &impl Fn(&str) -> Option<String>,
    in_azure: bool,
) -> Option<MailConfig> {
    let place = check(mistakes, "MAIL", place(lookup("MAIL"), in_azure));
    let is_sent = matches!(place, Some(MailPlace::Azure { .. }));
    let from = match lookup("MAIL_FROM") {
        None if is_sent => Err((None, ADDRESSES)),
        None => Ok(FROM_DEFAULT.to_owned()),
        Some(text) => address(text),
    };
    let from = check(mistakes, "MAIL_FROM", from);
    let staff = check(mistakes, "STAFF_MAIL", lookup("STAFF_MAIL").map(address).transpose());
    let identity = Identity::Developer;
    Some(MailConfig { place: place?, identity, from: from?, staff: staff? })
}

fn place(given: Option<String>, in_azure: bool) -> Result<MailPlace, Wrong> {
    let Some(text) = given else { return Ok(MailPlace::Unset) };
    if text.strip_prefix("https://").is_some_and(is_host) {
        return Ok(MailPlace::Azure { endpoint: text.trim_end_matches('/').to_owned() });
    }
    if in_azure {
        return Err((Some(text), "https://<resource>.communication.azure.com: nobody reads a folder there"));
    }
    #[cfg(feature = "emulator")]
    if let Some(path) = text.strip_prefix("folder:").filter(|path| !path.is_empty()) {
        return Ok(MailPlace::Folder(path.into()));
    }
    Err((Some(text), PLACES))
}

/// An address that fits into a header as it is.
fn address(text: String) -> Result<String, Wrong> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&byte);
    let parts = text.split_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.'));
    match parts {
        Some((name, host))
            if text.len() <= ADDRESS_CHARS_MAX && name.bytes().all(is_plain) && is_host(host) =>
        {
            Ok(text)
        }
        // The address of a person is not repeated.
        Some(_) | None => Err((Some("(hidden: it may be an address)".to_owned()), ADDRESSES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(settings: &[(&str, &str)], in_azure: bool) -> Result<MailConfig, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let lookup = |name: &str| {
            settings.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned())
        };
        parse(&mut mistakes, &lookup, in_azure).ok_or(mistakes)
    }

    const SERVICE: (&str, &str) = ("MAIL", "https://shop.europe.communication.azure.com/");

    #[test]
    fn nothing_is_sent_unless_it_is_said_where() {
        let config = parsed(&[], true).unwrap();
        assert_eq!((config.place, config.staff), (MailPlace::Unset, None));
    }

    #[test]
    fn service_needs_a_sender() {
        let config = parsed(&[SERVICE, ("MAIL_FROM", "shop@example.com")], true).unwrap();
        let endpoint = "https://shop.europe.communication.azure.com".to_owned();
        assert_eq!(config.place, MailPlace::Azure { endpoint });
        let mistakes = parsed(&[SERVICE], true).unwrap_err();
        assert_eq!((mistakes[0].setting, &mistakes[0].given), ("MAIL_FROM", &None));
    }

    #[test]
    fn every_mistake_is_told_and_no_address_is_repeated() {
        let settings = [
            ("MAIL", "smtp://x"),
            ("MAIL_FROM", "Eve <eve@example.com>"),
            ("STAFF_MAIL", "eve@x.com\r\nBcc: y@z.com"),
        ];
        let mistakes = parsed(&settings, false).unwrap_err();
        let told: Vec<_> = mistakes.iter().map(|mistake| mistake.setting).collect();
        assert_eq!(told, ["MAIL", "MAIL_FROM", "STAFF_MAIL"]);
        assert!(mistakes.iter().all(|mistake| !format!("{mistake:?}").contains("eve@")));
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn folder_is_refused_in_azure() {
        let folder = ("MAIL", "folder:mails");
        assert_eq!(parsed(&[folder], false).unwrap().place, MailPlace::Folder("mails".into()));
        assert_eq!(parsed(&[folder], true).unwrap_err()[0].setting, "MAIL");
    }
}

//! Development keys and what they open.
//!
//! Made anew at every start. Where a request carries its key is not known here.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::function::AuthLevel;
use crate::sources::Ids;

/// Keys for one run of the local host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevelopmentKeys {
    /// Opens everything, `/admin` included.
    pub master: String,
    /// Opens every function of level `function`.
    pub host: String,
    /// Opens one function of level `function`, by its name.
    pub functions: BTreeMap<String, String>,
}

impl DevelopmentKeys {
    /// New keys for these functions.
    pub(super) fn new<'a>(functions: impl IntoIterator<Item = &'a str>, ids: &Ids) -> Self {
        let key = || HEXLOWER.encode(&ids.bytes16());
        Self {
            master: key(),
            host: key(),
            functions: functions.into_iter().map(|name| (name.to_owned(), key())).collect(),
        }
    }

    /// Whether `key` opens a function of this level.
    pub(super) fn allow(&self, level: AuthLevel, function: &str, key: Option<&str>) -> bool {
        match level {
            AuthLevel::Anonymous => true,
            AuthLevel::Function => {
                let own = self.functions.get(function).map(String::as_str);
                key.is_some_and(|key| key == self.master || key == self.host || Some(key) == own)
            }
            AuthLevel::Admin => self.is_master(key),
        }
    }

    /// Whether `key` is the master key.
    pub(super) fn is_master(&self, key: Option<&str>) -> bool {
        key == Some(self.master.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_opens_what_it_should() {
        let keys = DevelopmentKeys::new(["A", "B"], &Ids::seeded(1));
        let (a, b) = (&keys.functions["A"], &keys.functions["B"]);
        let cases = [
            (AuthLevel::Anonymous, None, true),
            (AuthLevel::Function, None, false),
            (AuthLevel::Function, Some(a), true),
            (AuthLevel::Function, Some(b), false),
            (AuthLevel::Function, Some(&keys.host), true),
            (AuthLevel::Function, Some(&keys.master), true),
            (AuthLevel::Admin, Some(a), false),
            (AuthLevel::Admin, Some(&keys.host), false),
            (AuthLevel::Admin, Some(&keys.master), true),
        ];
        for (level, key, expected) in cases {
            let allowed = keys.allow(level, "A", key.map(String::as_str));
            assert_eq!(allowed, expected, "{level:?} {key:?}");
        }
    }
}

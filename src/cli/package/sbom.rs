//! The list of what the program is made of (SBOM), in the form of CycloneDX 1.6.
//!
//! Cargo tells the crates that are linked into the build, with their licences, and Cargo.lock their hashes. What only
//! builds (build scripts, macros) is not in the program and not in the list. No time and no chance: the same sources make the same list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Failure;
use super::release::{LEAN, cargo, output};

/// One line of `cargo tree` for each use of a crate: how deep it stands, which it is, its licence, its sources.
const LINE: &str = " {p}|{l}|{r}";

/// Asks Cargo for the build of the program for Azure.
pub(super) fn sbom(root: &Path, target: &str) -> Result<Value, Failure> {
    let mut cargo = cargo(root);
    cargo.args(["tree", "--locked", LEAN, "--target", target, "--edges", "normal,no-proc-macro"]);
    let tree = output(cargo.args(["--prefix", "depth", "--format", LINE]))?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    document(&tree, &checksums(&lock), target)
        .ok_or_else(|| "the output of cargo tree is not understood".into())
}

/// The SHA-256 of each package, by name and version, as Cargo itself writes them.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let packages = lock.split("[[package]]").skip(1);
    let package = |text: &str| {
        let field = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        Some((format!("{}@{}", field("name")?, field("version")?), field("checksum")?.to_owned()))
    };
    packages.filter_map(package).collect()
}

/// The document; `None` for lines that are not of the form that was asked for.
fn document(tree: &str, checksums: &BTreeMap<String, String>, target: &str) -> Option<Value> {
    let mut components = BTreeMap::new();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines() {
        let [package, licence, sources] = line.splitn(3, '|').collect::<Vec<_>>().try_into().ok()?;
        let mut words = package.split_whitespace();
        let depth: usize = words.next()?.parse().ok()?;
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        let reference = format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"));
        path.truncate(depth);
        if let Some(user) = path.last() {
            uses.entry(user.clone()).or_default().insert(reference.clone());
        }
        uses.entry(reference.clone()).or_default();
        let checksum = checksums.get(&format!("{name}@{version}"));
        let component = json!({
            "type": if depth == 0 { "application" } else { "library" },
            "bom-ref": reference,
            "name": name,
            "version": version,
            "purl": reference,
            // Crates of long ago part their licences by a slash.
            "licenses": [{"expression": licence.replace('/', " OR ")}],
            "hashes": checksum.map(|hash| json!({"alg": "SHA-256", "content": hash})).as_slice(),
            // A crate that comes again has a star behind its line.
            "externalReferences": sources.split_whitespace().next().filter(|url| url.starts_with("https://"))
                .map(|url| json!({"type": "vcs", "url": url})).as_slice(),
        });
        components.insert(reference.clone(), component);
        path.push(reference);
    }
    let program = components.remove(path.first()?)?;
    let uses = uses.iter().map(|(reference, on)| json!({"ref": reference, "dependsOn": on}));
    Some(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program, "properties": [{"name": "widgetco:target", "value": target}]},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": uses.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::release::TARGET;
    use super::*;

    #[test]
    fn each_crate_of_the_program_is_listed_with_licence_and_hash() {
        let sbom = sbom(Path::new(env!("CARGO_MANIFEST_DIR")), TARGET).unwrap();
        assert_eq!(sbom["metadata"]["component"]["name"], env!("CARGO_PKG_NAME"));
        let components = sbom["components"].as_array().unwrap();
        for component in components {
            let name = component["name"].as_str().unwrap();
            let purl = component["purl"].as_str().unwrap();
            assert!(purl.starts_with(&format!("pkg:cargo/{name}@")), "{component}");
            assert_eq!(component["hashes"][0]["content"].as_str().unwrap().len(), 64, "{component}");
            let licence = component["licenses"][0]["expression"].as_str().unwrap();
            assert!(!licence.is_empty() && !licence.contains('/'), "{component}");
        }
        let names: BTreeSet<_> =
            components.iter().map(|component| component["name"].as_str().unwrap()).collect();
        for name in ["azure_data_cosmos", "libwebp-sys", "ring", "rustls"] {
            assert!(names.contains(name), "{name} is in the program");
        }
        for name in ["cc", "proptest", "serde_derive", "widgetco", "zip"] {
            assert!(!names.contains(name), "{name} is not in the program");
        }
    }

    #[test]
    fn dependencies_name_listed_crates_only_and_reach_all_of_them() {
        let sbom = sbom(Path::new(env!("CARGO_MANIFEST_DIR")), TARGET).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let root = text(&sbom["metadata"]["component"]["bom-ref"]);
        let listed =
            sbom["components"].as_array().unwrap().iter().map(|component| text(&component["bom-ref"]));
        let listed: BTreeSet<_> = listed.chain([root.clone()]).collect();
        let uses = sbom["dependencies"].as_array().unwrap().iter();
        let uses: BTreeMap<_, Vec<_>> = uses
            .map(|entry| {
                (text(&entry["ref"]), entry["dependsOn"].as_array().unwrap().iter().map(text).collect())
            })
            .collect();
        let (mut reached, mut open) = (BTreeSet::new(), vec![root]);
        while let Some(reference) = open.pop() {
            if reached.insert(reference.clone()) {
                open.extend(uses[&reference].iter().cloned());
            }
        }
        assert_eq!(reached, listed);
    }

    #[test]
    fn crate_that_comes_again_keeps_its_user_and_its_old_licence_is_read() {
        let tree = "0 shop v1.0.0 (/src)|MIT|\n1 a v2.0.0+x|MIT/Apache-2.0|https://a.example\n2 b v3.0.0|ISC|\n1 b v3.0.0|ISC| (*)\n";
        let checksums = checksums("[[package]]\nname = \"b\"\nversion = \"3.0.0\"\nchecksum = \"abc\"\n");
        let sbom = document(tree, &checksums, TARGET).unwrap();
        assert_eq!(sbom["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(sbom["components"][0]["purl"], "pkg:cargo/a@2.0.0%2Bx");
        assert_eq!(sbom["components"][1]["hashes"][0]["content"], "abc");
        let uses = json!(["pkg:cargo/a@2.0.0%2Bx", "pkg:cargo/b@3.0.0"]);
        assert_eq!(sbom["dependencies"][2], json!({"ref": "pkg:cargo/shop@1.0.0", "dependsOn": uses}));
        assert_eq!(document("warning: nothing", &BTreeMap::new(), TARGET), None);
    }
}

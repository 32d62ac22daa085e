//! What the program for Azure is made of: neither the emulator nor anything that came along with it. Asks Cargo, which
//! resolves features exactly as it does for a build.
#![cfg(test)]

use std::process::Command;

const EMULATOR: &str = "__internal_in_memory_emulator";

/// Features of the Cosmos DB crates that have no place in Azure: the emulator, account keys, making databases, and
/// errors on demand.
const UNWANTED: [&str; 4] = [EMULATOR, "key_auth", "control_plane", "fault_injection"];

/// Crates whose features are looked at.
const CRATES: [&str; 3] = ["widgetco", "azure_data_cosmos", "azure_data_cosmos_driver"];

/// What the handler would have if it could get into Azurite, or knew a key.
const WITHOUT_IN_AZURE: [&str; 2] = ["devstoreaccount1", "UseDevelopmentStorage"];

/// The features of this crate and of the Cosmos DB crates in a build with these arguments, each as `crate/feature`.
fn features(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p} {f}",
            "--locked",
            "--offline",
        ])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut features = Vec::new();
    let mut crates = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // A line is `name version features`, the features with commas between, and `(*)` where a crate comes again.
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if CRATES.contains(&name) {
            crates += 1;
            let list = words.find(|word| !word.starts_with(['v', '('])).unwrap_or_default();
            features.extend(list.split(',').map(|feature| format!("{name}/{feature}")));
        }
    }
    assert!(crates >= 3, "cargo tree does not name the crates; is its output read rightly?");
    features
}

#[test]
fn build_for_azure_holds_no_emulator_no_key_authentication_and_no_mistakes() {
    let is_unwanted = |feature: &&String| UNWANTED.iter().any(|name| feature.ends_with(&format!("/{name}")));
    let lean = features(&["--no-default-features"]);
    let unwanted: Vec<_> = lean.iter().filter(is_unwanted).collect();
    assert!(
        unwanted.is_empty(),
        "{unwanted:?} are on with --no-default-features: in Cargo.toml, ask for them under `emulator` alone"
    );
    let full = features(&[]);
    for name in ["azure_data_cosmos", "azure_data_cosmos_driver"] {
        let emulator = format!("{name}/{EMULATOR}");
        assert!(
            full.contains(&emulator),
            "{emulator} is off by default, so that this test could not fail: {full:?}"
        );
    }
    assert!(full.contains(&"widgetco/emulator".to_owned()), "{full:?}");
    assert!(!full.contains(&"widgetco/museum".to_owned()), "the mistakes of the museum are for tests alone");
}

/// The file that knows the key is of the feature `emulator`, and what is left without it does not know it.
#[test]
fn key_of_azurite_is_in_no_build_for_azure() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let blob = std::fs::read_to_string(root.join("src/blob.rs")).unwrap();
    assert!(
        blob.contains("#[cfg(feature = \"emulator\")]\nmod azurite;"),
        "src/blob/azurite.rs is for development"
    );
    for file in ["src/blob.rs", "src/blob/container.rs"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for name in WITHOUT_IN_AZURE {
            assert!(!text.contains(name), "{file} names {name}, which belongs to src/blob/azurite.rs");
        }
    }
}

//! Reads Bicep files by their syntax tree: what they declare, and the values that stand there literally. Does not evaluate
//! anything: whatever is calculated stays the text that it is, under the key `=`.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tree_sitter::{Node, Parser, Tree};

/// A file of infra/bicep.
pub(super) struct Bicep {
    /// Its path from infra/bicep.
    pub(super) path: String,
    /// What stands in it.
    pub(super) text: String,
    tree: Tree,
}

/// A resource or a module: what it is called in its file, its type or file, and its body.
pub(super) struct Declared {
    pub(super) symbol: String,
    pub(super) kind: String,
    pub(super) exists: bool,
    pub(super) body: Value,
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/bicep")
}

/// Every file, and at least one.
pub(super) fn files() -> Vec<Bicep> {
    let mut files = Vec::new();
    for inner in ["", "modules"] {
        for entry in fs::read_dir(folder().join(inner)).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            // azd's copy of one of the others.
            if matches!(extension, Some("bicep" | "bicepparam")) && !path.ends_with("main.bicepparam") {
                let name = path.strip_prefix(folder()).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(Bicep::parse(name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty());
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

pub(super) fn file(path: &str) -> Bicep {
    Bicep::parse(path.to_owned(), fs::read_to_string(folder().join(path)).unwrap())
}

impl Bicep {
    pub(super) fn parse(path: String, text: String) -> Self {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bicep::LANGUAGE.into()).unwrap();
        // The grammar knows parameters with a type alone; what a file of parameters assigns has the form of a variable.
        let assigned = path.ends_with(".bicepparam").then(|| text.replace("\nparam ", "\nvar   "));
        let text = assigned.unwrap_or(text);
        let tree = parser.parse(&text, None).unwrap();
        Self { path, text, tree }
    }

    /// Every place that is not Bicep.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let wrong = self.nodes().into_iter().filter(|node| node.is_error() || node.is_missing());
        wrong.map(|node| format!("{}:{}: {node}", self.path, node.start_position().row + 1)).collect()
    }

    /// Every node with a name, each before those within it.
    fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes = vec![self.tree.root_node()];
        let mut at = 0;
        while let Some(node) = nodes.get(at).copied() {
            nodes.extend((0..node.child_count()).filter_map(|i| node.child(i)));
            at += 1;
        }
        nodes
    }

    fn of_kind(&self, kind: &str) -> Vec<Node<'_>> {
        self.nodes().into_iter().filter(|node| node.kind() == kind).collect()
    }

    fn text(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn value(&self, node: Node<'_>) -> Value {
        match node.kind() {
            "string" => self.text(node).trim_matches('\'').into(),
            "number" => self.text(node).parse::<i64>().unwrap().into(),
            "boolean" => (self.text(node) == "true").into(),
            "null" => Value::Null,
            "array" => named(node).map(|inner| self.value(inner)).collect(),
            "object" => Value::Object(self.object(node)),
            "for_statement" => self.value(node.child_by_field_name("body").unwrap()),
            "if_statement" => self.value(named(node).last().unwrap()),
            _ => json!({ "=": self.text(node).split_whitespace().collect::<Vec<_>>().join(" ") }),
        }
    }

    fn object(&self, node: Node<'_>) -> Map<String, Value> {
        let mut properties = Map::new();
        for property in named(node).filter(|inner| inner.kind() == "object_property") {
            let parts: Vec<_> = named(property).collect();
            if let [key, value] = parts[..] {
                let key = self.text(key).trim_matches('\'').to_owned();
                assert!(properties.insert(key.clone(), self.value(value)).is_none(), "{}: {key}", self.path);
            }
        }
        properties
    }

    /// The value of a variable, or of a parameter in a file of parameters.
    pub(super) fn variable(&self, name: &str) -> Value {
        let variables = self.variables();
        let found = variables.into_iter().find(|(symbol, _)| symbol == name);
        found.unwrap_or_else(|| panic!("{}: no variable `{name}`", self.path)).1
    }

    pub(super) fn variables(&self) -> Vec<(String, Value)> {
        let variables = self.of_kind("variable_declaration").into_iter().map(|node| {
            let parts: Vec<_> = named(node).collect();
            (self.text(parts[0]).to_owned(), self.value(parts[1]))
        });
        variables.collect()
    }

    fn declared(&self, kind: &str) -> Vec<Declared> {
        let declared = self.of_kind(kind).into_iter().map(|node| {
            let parts: Vec<_> = named(node).collect();
            Declared {
                symbol: self.text(parts[0]).to_owned(),
                kind: self.text(parts[1]).trim_matches('\'').to_owned(),
                exists: self.text(node).lines().next().unwrap().contains("existing"),
                body: self.value(parts[2]),
            }
        });
        declared.collect()
    }

    pub(super) fn resources(&self) -> Vec<Declared> {
        self.declared("resource_declaration")
    }

    pub(super) fn modules(&self) -> Vec<Declared> {
        self.declared("module_declaration")
    }

    /// The parameters, each with whether it must be given.
    pub(super) fn parameters(&self) -> Vec<(String, bool)> {
        let parameters = self.of_kind("parameter_declaration").into_iter().map(|node| {
            let has_default =
                (0..node.child_count()).any(|i| node.child(i).is_some_and(|child| child.kind() == "="));
            (self.text(named(node).next().unwrap()).to_owned(), !has_default)
        });
        parameters.collect()
    }

    pub(super) fn outputs(&self) -> BTreeSet<String> {
        let outputs = self.of_kind("output_declaration").into_iter();
        outputs.map(|node| self.text(named(node).next().unwrap()).to_owned()).collect()
    }

    /// The outputs that expressions take from modules: the module's symbol and the output.
    pub(super) fn outputs_used(&self) -> BTreeSet<(String, String)> {
        let used = self.of_kind("member_expression").into_iter().filter_map(|node| {
            let (before, output) = self.text(node).split_once(".outputs.")?;
            let module = before.trim_end_matches('!');
            let module = module.split_once('[').map_or(module, |(module, _)| module);
            Some((module.to_owned(), output.to_owned()))
        });
        used.collect()
    }

    /// Every name that is declared here, for the file or for an expression.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for node in self.nodes() {
            let name = match node.kind() {
                "parameter_declaration"
                | "variable_declaration"
                | "resource_declaration"
                | "module_declaration" => named(node).next(),
                "for_statement" => node.child_by_field_name("initializer"),
                "loop_variable" | "loop_enumerator" => Some(node),
                "lambda_expression" => named(node).next(),
                _ => None,
            };
            names.extend(name.map(|name| self.text(name).to_owned()));
        }
        names
    }

    /// Every name that an expression uses, as often as it does.
    pub(super) fn names_used(&self) -> Vec<String> {
        let used = self.of_kind("identifier").into_iter().filter(|node| {
            let parent = node.parent().unwrap();
            let is_first = parent.named_child(0) == Some(*node);
            match parent.kind() {
                "object_property" => !is_first,
                "parameter_declaration"
                | "variable_declaration"
                | "resource_declaration"
                | "module_declaration"
                | "output_declaration"
                | "lambda_expression"
                | "target_scope_assignment" => !is_first,
                "for_statement" => parent.child_by_field_name("initializer") != Some(*node),
                _ => true,
            }
        });
        used.map(|node| self.text(node).to_owned()).collect()
    }
}

/// The inner nodes that have a name, without comments.
fn named(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    (0..node.named_child_count())
        .filter_map(move |i| node.named_child(i.try_into().unwrap()))
        .filter(|inner| !inner.kind().ends_with("comment"))
}

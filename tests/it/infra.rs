//! The infrastructure says what the code says: containers, queues, settings, log lines; it has no keys, and every name in it
//! leads somewhere. Bicep's own compiler is in no registry, so types of properties are not checked here.
#![cfg(test)]

mod bicep;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use widgetco::config::SETTINGS;
use widgetco::domain::announcement::News;
use widgetco::domain::notification::OrderNotice;
use widgetco::functions::async_api::examples;
use widgetco::store::containers::Container;

use self::bicep::{Bicep, file, files};

/// Settings that nobody gives in Azure: the host or the platform does, or the default is right there.
const LEFT_TO_AZURE: [&str; 6] = [
    "AZURE_FUNCTIONS_ENVIRONMENT",
    "COSMOS_REGION",
    "FUNCTIONS_CUSTOMHANDLER_PORT",
    "LOG_FILTER",
    "LOG_FORMAT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Settings of the app that the Functions host reads, or how they begin.
const OF_THE_HOST: [&str; 5] =
    ["APPLICATIONINSIGHTS_", "AzureFunctionsJobHost__", "AzureWebJobsStorage__", "COSMOS__", "EVENTS__"];

/// Azure's roles that may be given, with their ids, which are the same everywhere.
const ROLES: [(&str, &str); 8] = [
    ("Communication and Email Service Owner", "09976791-48a7-449e-bb21-39d1a415f350"),
    ("EventGrid Data Sender", "d5a91429-5739-47e2-a06b-3470a27159e7"),
    ("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6"),
    ("Monitoring Metrics Publisher", "3913510d-42f4-4e42-8a64-420c390055eb"),
    ("Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    ("Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),
    ("Storage Queue Data Contributor", "974c5e8b-45b9-4653-ba55-5f855dd0fae8"),
    ("Storage Table Data Contributor", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
];

/// What must be said of a resource so that no key opens it.
const KEYLESS: [(&str, &str, bool); 10] = [
    ("Microsoft.Communication/communicationServices", "/properties/disableLocalAuth", true),
    ("Microsoft.DocumentDB/databaseAccounts", "/properties/disableLocalAuth", true),
    ("Microsoft.DocumentDB/databaseAccounts", "/properties/disableKeyBasedMetadataWriteAccess", true),
    ("Microsoft.EventGrid/topics", "/properties/disableLocalAuth", true),
    ("Microsoft.Insights/components", "/properties/DisableLocalAuth", true),
    ("Microsoft.KeyVault/vaults", "/properties/enableRbacAuthorization", true),
    ("Microsoft.OperationalInsights/workspaces", "/properties/features/disableLocalAuth", true),
    ("Microsoft.Storage/storageAccounts", "/properties/allowSharedKeyAccess", false),
    ("Microsoft.Web/sites", "/properties/httpsOnly", true),
    ("basicPublishingCredentialsPolicies", "/properties/allow", false),
];

/// What would be a key, or would ask for one, in small letters.
const KEYS: [&str; 8] = [
    "listkeys",
    "listconnectionstrings",
    "listsecrets",
    "listaccountsas",
    "accountkey",
    "sharedaccess",
    "sig=",
    "password:",
];

/// Functions and namespaces of Bicep that the files use.
const BICEP: [&str; 21] = [
    "contains",
    "empty",
    "environment",
    "fail",
    "filter",
    "guid",
    "items",
    "length",
    "loadTextContent",
    "map",
    "mapValues",
    "range",
    "readEnvironmentVariable",
    "resourceGroup",
    "string",
    "subscription",
    "subscriptionResourceId",
    "take",
    "toLower",
    "union",
    "uniqueString",
];

/// Decorators, which are functions in form.
const DECORATORS: [&str; 6] = ["allowed", "description", "maxLength", "maxValue", "minLength", "minValue"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The bindings of all functions, by their names.
fn bindings() -> Vec<(String, Value)> {
    let mut bindings = Vec::new();
    for folder in fs::read_dir(root().join("functions")).unwrap() {
        let folder = folder.unwrap();
        let declared = fs::read_to_string(folder.path().join("function.json")).unwrap();
        let declared: Value = serde_json::from_str(&declared).unwrap();
        let name = folder.file_name().into_string().unwrap();
        bindings
            .extend(declared["bindings"].as_array().unwrap().iter().map(|one| (name.clone(), one.clone())));
    }
    bindings
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn every_file_is_bicep_and_opens_with_what_it_is_for() {
    for file in files() {
        assert_eq!(file.mistakes(), Vec::<String>::new());
        assert!(file.text.starts_with("// "), "{}: open it with a comment of its purpose", file.path);
    }
    for broken in ["param name string =\n", "var a = [\n", "resource a 'b@c' = {\n  name 'x'\n}\n"] {
        assert_ne!(
            Bicep::parse("broken.bicep".into(), broken.into()).mistakes(),
            Vec::<String>::new(),
            "{broken}"
        );
    }
}

#[test]
fn containers_are_those_of_the_code() {
    let cosmos = file("modules/cosmos.bicep");
    let said = cosmos.variable("containers");
    let said: BTreeMap<_, _> =
        said.as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one.clone())).collect();
    let mut wanted = BTreeMap::new();
    for definition in Container::ALL.map(Container::definition) {
        let container = json!({
            "name": definition.name,
            "partitionKey": format!("/{}", definition.partition_key),
            "defaultTtl": definition.expires.then_some(-1),
            "indexed": definition.indexed,
            "orderedBy": definition.ordered_by,
        });
        wanted.insert(definition.name, container);
    }
    assert_eq!(said.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, container) in wanted {
        assert_eq!(
            said[name], container,
            "`{name}`: what cosmos.bicep says (left) is not what containers.rs says"
        );
    }
}

#[test]
fn containers_are_made_as_the_code_makes_them() {
    let resources = file("modules/cosmos.bicep").resources();
    let made = resources.iter().find(|one| one.kind.contains("/containers@")).unwrap();
    let wanted = json!({
        "id": {"=": "container.name"},
        "partitionKey": {"paths": [{"=": "container.partitionKey"}], "kind": "Hash", "version": 2},
        "defaultTtl": {"=": "container.defaultTtl"},
        "indexingPolicy": {
            "indexingMode": "consistent",
            "automatic": true,
            "includedPaths": {"=": "map(container.indexed, path => { path: path })"},
            "excludedPaths": [{"path": "/*"}],
            "compositeIndexes": {
                "=": "map(container.orderedBy, paths => map(paths, path => { path: path, order: 'descending' }))"
            },
        },
    });
    assert_eq!(made.body["properties"]["resource"], wanted);
}

#[test]
fn queues_are_those_of_the_functions() {
    let said = file("modules/storage.bicep").variable("queues");
    let bindings = bindings();
    let queues = bindings.iter().filter_map(|(_, binding)| binding["queueName"].as_str());
    assert_eq!(texts(&said), queues.collect());
}

#[test]
fn each_connection_of_a_binding_has_its_settings_by_identity() {
    let settings = file("modules/functions.bicep").variable("settings");
    for (name, binding) in bindings() {
        let Some(connection) = binding["connection"].as_str() else { continue };
        let place = match binding["type"].as_str().unwrap() {
            "cosmosDBTrigger" => "accountEndpoint",
            "eventGrid" => "topicEndpointUri",
            _ => "accountName",
        };
        for part in [place, "clientId", "credential"] {
            let setting = format!("{connection}__{part}");
            assert!(settings.get(&setting).is_some(), "{name} needs the setting {setting}");
        }
    }
}

#[test]
fn each_function_that_hears_events_is_subscribed() {
    let said = file("modules/subscriptions.bicep").variable("hearers");
    let mut said: Vec<_> =
        said.as_array().unwrap().iter().map(|hearer| hearer["functionName"].as_str().unwrap()).collect();
    said.sort_unstable();
    let bindings = bindings();
    let hear = bindings.iter().filter(|(_, binding)| binding["type"] == "eventGridTrigger");
    let mut hear: Vec<_> = hear.map(|(name, _)| name.as_str()).collect();
    hear.sort_unstable();
    assert_eq!(said, hear);
    for hearer in file("modules/subscriptions.bicep").variable("hearers").as_array().unwrap() {
        let cares = |news: &News| match hearer["functionName"].as_str().unwrap() {
            "DispatchWebhooks" => true,
            "NotifyCustomer" => OrderNotice::of(news).is_some(),
            "StartOrder" => matches!(news, News::OrderPlaced(_)),
            "UpdateInventory" => matches!(news, News::ProductCreated(_) | News::ProductUpdated(_)),
            "WarnLowStock" => matches!(news, News::StockLow(_)),
            other => panic!("say here what {other} cares for"),
        };
        let all = examples();
        assert_eq!(all.len(), News::KINDS.len());
        let wanted: BTreeSet<_> =
            all.iter().map(|one| &one.news).filter(|news| cares(news)).map(News::kind).collect();
        let said = texts(&hearer["endsWith"]);
        assert!(said == wanted || (said.is_empty() && wanted.len() == all.len()), "{hearer}: {wanted:?}");
    }
}

#[test]
fn feeds_read_containers_that_exist_and_each_has_a_lease_of_its_own() {
    let containers = Container::ALL.map(|container| container.definition().name);
    let bindings = bindings();
    let feeds = bindings.iter().filter(|(_, binding)| binding["type"] == "cosmosDBTrigger");
    let mut leases = BTreeSet::new();
    for (name, feed) in feeds {
        for place in ["containerName", "leaseContainerName"] {
            assert!(containers.contains(&feed[place].as_str().unwrap()), "{name}: {place}");
        }
        assert!(leases.insert(feed["leaseContainerPrefix"].as_str().unwrap().to_owned()), "{name}");
    }
}

#[test]
fn blob_containers_that_settings_name_exist() {
    let storage = file("modules/storage.bicep");
    let said = storage.variable("containers");
    let said: BTreeSet<_> =
        said.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    let url = "${account.properties.primaryEndpoints.blob}";
    let subscriptions = file("modules/subscriptions.bicep").text;
    assert!(said.contains("dead-letters") && subscriptions.contains("blobContainerName: 'dead-letters'"));
    for name in ["deployments", "images"] {
        assert!(said.contains(name) && storage.text.contains(&format!("'{url}{name}'")), "{name}");
    }
    let door = file("modules/front-door.bicep").text;
    assert!(said.contains("storefront") && door.contains("originPath: '/storefront'"));
}

#[test]
fn settings_are_those_that_the_code_and_the_host_read() {
    let settings = file("modules/functions.bicep").variable("settings");
    let known: BTreeSet<_> = SETTINGS.iter().map(|(name, _)| *name).collect();
    // What the host reads and the handler, too, is the handler's.
    let is_hosts =
        |name: &&str| !known.contains(name) && OF_THE_HOST.iter().any(|start| name.starts_with(start));
    let (of_host, of_shop): (BTreeSet<_>, BTreeSet<_>) =
        settings.as_object().unwrap().keys().map(String::as_str).partition(is_hosts);
    let left = BTreeSet::from(LEFT_TO_AZURE);
    assert_eq!(
        left.difference(&known).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "left to Azure, but no settings"
    );
    assert_eq!(of_shop, known.difference(&left).copied().collect());
    for needed in ["accountName", "clientId", "credential"] {
        assert!(of_host.contains(format!("AzureWebJobsStorage__{needed}").as_str()), "{needed}");
    }
    // Flex Consumption refuses them, and says the same in functionAppConfig.
    for refused in ["FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE"] {
        assert!(files().iter().all(|file| !file.text.contains(refused)), "{refused}");
    }
}

#[test]
fn app_is_a_custom_handler_and_always_ready_functions_exist() {
    let functions = file("modules/functions.bicep");
    let app = functions.resources().into_iter().find(|one| one.symbol == "app").unwrap().body;
    let runtime = &app["properties"]["functionAppConfig"]["runtime"];
    assert_eq!(runtime, &json!({"name": "custom", "version": "1.0"}));
    let known: BTreeSet<_> = bindings().into_iter().map(|(name, _)| name).collect();
    for group in functions.variable("alwaysReady").as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        assert!(
            name == "http" || name.strip_prefix("function:").is_some_and(|name| known.contains(name)),
            "{name}"
        );
    }
    let azd = fs::read_to_string(root().join("azure.yaml")).unwrap();
    let service = file("main.bicep").text.contains("'azd-service-name': 'api'");
    assert!(service && azd.contains("\nservices:\n  api:\n") && azd.contains("path: infra/bicep\n"));
}

#[test]
fn roles_are_the_ones_that_their_names_say_and_each_is_given() {
    let mut said = BTreeMap::new();
    let roles = file("modules/roles.bicep");
    for (name, id) in roles.variable("roleIds").as_object().unwrap() {
        let uses = roles.text.matches(&format!("roleIds['{name}']")).count();
        assert!(uses > 0, "`{name}` is given to nobody");
        said.insert(name.clone(), id.as_str().unwrap().to_owned());
    }
    let wanted = ROLES.map(|(name, id)| (name.to_owned(), id.to_owned()));
    assert_eq!(said, BTreeMap::from(wanted));
    let data = file("modules/roles.bicep").variable("cosmosDataContributor");
    assert_eq!(
        data, "00000000-0000-0000-0000-000000000002",
        "Cosmos DB's own role to read and write documents"
    );
    let others = files().into_iter().filter(|file| !file.path.contains("role"));
    for file in others {
        assert!(
            !file.text.to_lowercase().contains("roleassignments@"),
            "{}: roles are in roles.bicep",
            file.path
        );
    }
}

#[test]
fn nothing_is_opened_by_a_key() {
    let files = files();
    let resources: Vec<_> = files.iter().flat_map(Bicep::resources).filter(|one| !one.exists).collect();
    for (kind, pointer, wanted) in KEYLESS {
        let same = |one: &&bicep::Declared| one.kind.split('@').next() == Some(kind);
        let found: Vec<_> = resources.iter().filter(same).collect();
        assert!(!found.is_empty(), "no {kind}");
        for one in found {
            assert_eq!(one.body.pointer(pointer), Some(&json!(wanted)), "{kind} `{}`: {pointer}", one.symbol);
        }
    }
    let azd = ("azure.yaml".to_owned(), fs::read_to_string(root().join("azure.yaml")).unwrap());
    for (path, text) in files.into_iter().map(|file| (file.path, file.text)).chain([azd]) {
        let text = text.to_lowercase();
        for key in KEYS {
            assert!(!text.contains(key), "{path}: `{key}` is or brings a key");
        }
    }
}

#[test]
fn versions_of_resources_are_pinned_and_the_same_everywhere() {
    let mut versions = BTreeMap::new();
    for file in files() {
        for resource in file.resources() {
            // A resource within another has the version of that one.
            let Some((kind, version)) = resource.kind.split_once('@') else { continue };
            let digits = |from: usize, to: usize| version[from..to].bytes().all(|byte| byte.is_ascii_digit());
            let is_released = version.len() == 10 && digits(0, 4) && digits(5, 7) && digits(8, 10);
            assert!(is_released, "{}: {kind} is at {version}: a released version is a date", file.path);
            let first = versions.entry(kind.to_owned()).or_insert_with(|| version.to_owned());
            assert_eq!(first, version, "{}: {kind}", file.path);
        }
    }
    assert!(versions.len() > 20);
}

#[test]
fn modules_get_what_they_ask_for_and_give_what_is_taken() {
    let main = file("main.bicep");
    let (mut called, mut outputs) = (BTreeSet::new(), BTreeMap::new());
    for module in main.modules() {
        let declared = file(&module.kind);
        let given: BTreeSet<_> = module.body["params"].as_object().unwrap().keys().cloned().collect();
        let known: BTreeSet<_> = declared.parameters().into_iter().map(|(name, _)| name).collect();
        assert_eq!(given, known, "what main.bicep gives to {} (left), and what that takes", module.kind);
        outputs.insert(module.symbol, declared.outputs());
        called.insert(module.kind);
    }
    let there: BTreeSet<_> =
        files().into_iter().map(|file| file.path).filter(|path| path.starts_with("modules/")).collect();
    assert_eq!(called, there);
    let used = main.outputs_used();
    assert!(used.len() > 10);
    for (module, output) in used {
        assert!(
            outputs.get(&module).is_some_and(|known| known.contains(&output)),
            "{module}.outputs.{output}"
        );
    }
}

#[test]
fn files_of_parameters_set_what_exists_and_all_that_is_required() {
    let parameters: BTreeMap<_, _> = file("main.bicep").parameters().into_iter().collect();
    for path in ["dev.bicepparam", "prod.bicepparam"] {
        let said: BTreeSet<_> = file(path).variables().into_iter().map(|(name, _)| name).collect();
        for (name, is_required) in &parameters {
            assert!(!is_required || said.contains(name), "{path}: `{name}` is required");
        }
        for name in said {
            assert!(parameters.contains_key(&name), "{path}: main.bicep has no parameter `{name}`");
        }
    }
    let containers = Container::ALL.map(|container| container.definition().name);
    let dedicated = file("prod.bicepparam").variable("cosmosDedicatedThroughput");
    for name in dedicated.as_object().unwrap().keys() {
        assert!(containers.contains(&name.as_str()), "prod.bicepparam: there is no container `{name}`");
    }
}

#[test]
fn every_name_leads_somewhere_and_every_parameter_is_used() {
    for file in files().into_iter().filter(|file| file.path.ends_with(".bicep")) {
        let (names, used) = (file.names(), file.names_used());
        for name in &used {
            let is_known =
                names.contains(name) || [BICEP.as_slice(), &DECORATORS].concat().contains(&name.as_str());
            assert!(is_known, "{}: nothing here is called `{name}`", file.path);
        }
        for (name, _) in file.parameters() {
            assert!(used.contains(&name), "{}: the parameter `{name}` is not used", file.path);
            let described = format!("\nparam {name} ");
            let before = &file.text[..file.text.find(&described).unwrap()];
            let above = before.rsplit("\n\n").next().unwrap();
            assert!(above.contains("@description("), "{}: describe the parameter `{name}`", file.path);
        }
    }
}

#[test]
fn alerts_and_dashboard_look_for_what_the_code_logs() {
    let mut said = Vec::new();
    for alert in file("modules/alerts.bicep").variable("logAlerts").as_array().unwrap() {
        said.extend(texts(&alert["says"]).into_iter().map(str::to_owned));
    }
    let dashboard = fs::read_to_string(bicep::folder().join("modules/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    for item in dashboard["items"].as_array().unwrap() {
        let query = item["content"]["query"].as_str().unwrap_or_default();
        let traces = query.starts_with("AppTraces");
        said.extend(query.split('\'').skip(1).step_by(2).filter(|_| traces).map(str::to_owned));
    }
    let mut code = String::new();
    for folder in ["src/app", "src/functions"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            code += &fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        }
    }
    code += &fs::read_to_string(root().join("src/store/audits.rs")).unwrap();
    assert!(said.len() > 10);
    for phrase in said {
        assert!(code.contains(&format!("{phrase}\"")), "nothing logs `{phrase}`");
    }
}

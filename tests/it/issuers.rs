//! Tokens of issuers over HTTP: their keys are found, kept and turned, and what is not theirs is not believed.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use widgetco::config::{AuthConfig, IssuerConfig};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::shop::{Answer, TestShop};

const AUDIENCE: &str = "api://widgetco";
const RSA_DER: &[u8] = include_bytes!("../fixtures/issuer-rsa-2048.der");

/// A key pair on P-256, as PKCS #8.
struct Pair(Vec<u8>);

impl Pair {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self(pair.unwrap().as_ref().to_vec())
    }

    fn jwk(&self, kid: &str) -> Value {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.0, &SystemRandom::new());
        let pair = pair.unwrap();
        let [x, y] = [1..33, 33..65].map(|range| base64url(&pair.public_key().as_ref()[range]));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": x, "y": y})
    }

    fn sign(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &EncodingKey::from_ec_der(&self.0)).unwrap()
    }
}

fn base64url(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

/// A token with any header, signed by the RSA key.
fn sign_rs256(header: &Value, claims: &Value) -> String {
    let pair = RsaKeyPair::from_der(RSA_DER).unwrap();
    let text = [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".");
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", base64url(&signature))
}

fn rsa_jwk(kid: &str) -> Value {
    let pair = RsaKeyPair::from_der(RSA_DER).unwrap();
    let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let [n, e] = [n, e].map(|number| base64url(&number));
    json!({"kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": e, "x5c": ["ignored"], "issuer": "ignored"})
}

/// An issuer, and a shop that believes it alone.
struct Scene {
    shop: TestShop,
    issuer: MockServer,
}

impl Scene {
    /// `who` makes the issuer's settings what they are.
    async fn open(who: impl Fn(IssuerConfig) -> IssuerConfig) -> Self {
        let issuer = MockServer::start().await;
        let mut shop = TestShop::open(&[("w", 5)]).await;
        let config = who(IssuerConfig {
            issuer: issuer.uri(),
            audience: AUDIENCE.to_owned(),
            customer_claim: None,
            has_roles: false,
        });
        shop.admit(&AuthConfig { issuers: vec![config], ..AuthConfig::nobody() });
        Self { shop, issuer }
    }

    async fn of_customers() -> Self {
        Self::open(|config| IssuerConfig { customer_claim: Some("sub".to_owned()), ..config }).await
    }

    async fn of_workforce() -> Self {
        Self::open(|config| IssuerConfig { has_roles: true, ..config }).await
    }

    /// Publishes these keys, and no others any more.
    async fn publish(&self, keys: &[Value]) {
        self.issuer.reset().await;
        let jwks_uri = format!("{}/keys", self.issuer.uri());
        self.serve(
            "/.well-known/openid-configuration",
            200,
            json!({"issuer": self.issuer.uri(), "jwks_uri": jwks_uri}),
        )
        .await;
        self.serve("/keys", 200, json!({ "keys": keys })).await;
    }

    async fn serve(&self, at: &str, status: u16, body: Value) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&self.issuer).await;
    }

    /// Waits until somebody asks for the issuer's documents.
    async fn fetch_begun(&self) {
        while self.issuer.received_requests().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// How often the keys were asked for since they were last published.
    async fn fetches(&self) -> usize {
        let requests = self.issuer.received_requests().await.unwrap();
        requests.iter().filter(|request| request.url.path() == "/keys").count()
    }

    /// What a right token says, for the next hour.
    fn claims(&self, more: &Value) -> Value {
        let now = self.shop.app.clock.now().timestamp();
        let mut claims = json!({
            "iss": self.issuer.uri(), "aud": AUDIENCE, "sub": "ada", "nbf": now, "exp": now + 3600,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let value = format!("Bearer {token}");
        self.shop.send("GET", path, &[("authorization", &value)], None).await
    }

    /// The status and the reason of what `ada` gets for this token.
    async fn ada(&self, token: &str) -> (u16, String) {
        let answer = self.get("/api/customers/ada", token).await;
        (answer.status.as_u16(), answer.body["detail"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn customer_signs_in_by_either_algorithm_and_keys_are_fetched_once() {
    let scene = Scene::of_customers().await;
    let pair = Pair::new();
    scene
        .publish(&[json!({"kty": "oct", "kid": "odd", "k": "AA"}), pair.jwk("ec"), rsa_jwk("rsa"), json!(7)])
        .await;
    let claims = scene.claims(&json!({}));
    let tokens =
        [pair.sign("ec", &claims), sign_rs256(&json!({"alg": "RS256", "kid": "rsa", "typ": "JWT"}), &claims)];
    for token in tokens.iter().cycle().take(6) {
        assert_eq!(scene.ada(token).await.0, 200);
        assert_eq!(scene.get("/api/customers/bob", token).await.status, StatusCode::NOT_FOUND);
        assert_eq!(scene.get("/api/customers", token).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(scene.fetches().await, 1);
}

#[tokio::test]
async fn token_that_is_not_right_in_every_part_is_not_believed() {
    let scene = Scene::of_customers().await;
    let (pair, other) = (Pair::new(), Pair::new());
    scene.publish(&[pair.jwk("k"), rsa_jwk("rsa")]).await;
    let now = scene.shop.app.clock.now().timestamp();
    let right = scene.claims(&json!({}));
    assert_eq!(scene.ada(&pair.sign("k", &right)).await.0, 200);
    let unsigned = |alg: &str, signature: &str| {
        let header = base64url(json!({"alg": alg, "kid": "k"}).to_string().as_bytes());
        format!("{header}.{}.{signature}", base64url(right.to_string().as_bytes()))
    };
    let swapped = {
        let token = pair.sign("k", &right);
        let parts: Vec<_> = token.split('.').collect();
        let forged = scene.claims(&json!({"sub": "bob"})).to_string();
        format!("{}.{}.{}", parts[0], base64url(forged.as_bytes()), parts[2])
    };
    let mut nameless = right.clone();
    nameless.as_object_mut().unwrap().remove("sub");
    let mut endless = right.clone();
    endless.as_object_mut().unwrap().remove("exp");
    let with = |more: Value| pair.sign("k", &scene.claims(&more));
    let cases = [
        ("wrong key", other.sign("k", &right), "not signed by its issuer"),
        ("wrong audience", with(json!({"aud": "api://other"})), "for somebody else"),
        ("no audience", with(json!({"aud": null})), "for somebody else"),
        ("expired", with(json!({"exp": now - 61})), "expired"),
        ("for ever", pair.sign("k", &endless), "not of the form"),
        ("not yet", with(json!({"nbf": now + 61})), "does not hold yet"),
        ("no subject", pair.sign("k", &nameless), "not of the form"),
        ("another issuer", with(json!({"iss": "https://evil.example"})), "issuer is not known"),
        ("no customer's id", with(json!({"sub": "Not An Id"})), "no id as ours"),
        ("alg none", unsigned("none", ""), "not signed by RS256 or ES256"),
        ("alg none, other letters", unsigned("nOnE", ""), "not signed by RS256 or ES256"),
        ("symmetric", unsigned("HS256", "AAAA"), "not signed by its issuer"),
        ("no signature", unsigned("ES256", ""), "not signed by its issuer"),
        (
            "the other key's algorithm",
            sign_rs256(&json!({"alg": "RS256", "kid": "k"}), &right),
            "not signed by its issuer",
        ),
        (
            "demanding",
            sign_rs256(&json!({"alg": "RS256", "kid": "rsa", "crit": ["x"]}), &right),
            "not understood",
        ),
        ("without the key's name", sign_rs256(&json!({"alg": "RS256"}), &right), "does not name its key"),
        ("other claims", swapped, "not signed by its issuer"),
        ("no token at all", "what is this?".to_owned(), "no JWT"),
        ("endlessly long", "a".repeat(9000), "too long"),
    ];
    for (what, token, why) in &cases {
        let (status, detail) = scene.ada(token).await;
        assert_eq!(status, 401, "{what}");
        assert!(detail.contains(why), "{what}: {detail}");
    }
    // Our clocks may differ by a minute.
    for claims in [
        json!({"exp": now - 59}),
        json!({"exp": 9e18}),
        json!({"nbf": now + 59}),
        json!({"aud": ["x", AUDIENCE]}),
    ] {
        assert_eq!(scene.ada(&with(claims)).await.0, 200);
    }
    let twice = pair.sign("k", &right);
    let headers =
        [("authorization", format!("Bearer {twice}")), ("authorization", format!("Bearer {twice}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = scene.shop.send("GET", "/api/customers/ada", &headers, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn turned_key_is_found_and_made_up_ones_are_not_asked_for_again_and_again() {
    let scene = Scene::of_customers().await;
    let (old, new) = (Pair::new(), Pair::new());
    scene.publish(&[old.jwk("old")]).await;
    let claims = scene.claims(&json!({"exp": scene.shop.app.clock.now().timestamp() + 90_000}));
    assert_eq!(scene.ada(&old.sign("old", &claims)).await.0, 200);
    scene.publish(&[new.jwk("new")]).await;
    for number in 0..20 {
        assert_eq!(scene.ada(&new.sign(&format!("made-up-{number}"), &claims)).await.0, 401);
    }
    assert_eq!(scene.fetches().await, 0, "within a minute of the last fetch");
    scene.shop.advance(Duration::from_secs(60));
    assert_eq!(scene.ada(&new.sign("new", &claims)).await.0, 200);
    assert_eq!(scene.fetches().await, 1);
    // What was withdrawn is no longer believed.
    assert_eq!(scene.ada(&old.sign("old", &claims)).await.0, 401);
    scene.shop.advance(Duration::from_secs(60));
    let token = new.sign("made-up", &claims);
    let all = futures::future::join_all((0..10).map(|_| scene.ada(&token))).await;
    assert!(all.iter().all(|(status, _)| *status == 401));
    assert_eq!(scene.fetches().await, 2, "however many ask at once");
}

#[tokio::test]
async fn withdrawn_key_is_believed_for_an_hour_at_most() {
    let scene = Scene::of_customers().await;
    let (old, new) = (Pair::new(), Pair::new());
    scene.publish(&[old.jwk("old")]).await;
    let claims = scene.claims(&json!({"exp": scene.shop.app.clock.now().timestamp() + 90_000}));
    let token = old.sign("old", &claims);
    assert_eq!(scene.ada(&token).await.0, 200);
    scene.publish(&[new.jwk("new")]).await;
    scene.shop.advance(Duration::from_secs(3599));
    assert_eq!(scene.ada(&token).await.0, 200);
    scene.shop.advance(Duration::from_secs(1));
    assert_eq!(scene.ada(&token).await.0, 401);
}

#[tokio::test]
async fn issuer_that_is_down_is_missed_only_when_its_keys_are_a_day_old() {
    let scene = Scene::of_customers().await;
    let pair = Pair::new();
    let claims = scene.claims(&json!({"exp": scene.shop.app.clock.now().timestamp() + 200_000}));
    let token = pair.sign("k", &claims);
    scene.serve("/.well-known/openid-configuration", 500, json!({})).await;
    let down = scene.get("/api/customers/ada", &token).await;
    assert_eq!((down.status, down.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    scene.publish(&[pair.jwk("k")]).await;
    assert_eq!(scene.ada(&token).await.0, 503, "asked again after five seconds, not before");
    scene.shop.advance(Duration::from_secs(5));
    assert_eq!(scene.ada(&token).await.0, 200);
    scene.issuer.reset().await;
    scene.serve("/.well-known/openid-configuration", 500, json!({})).await;
    scene.shop.advance(TimeDelta::hours(24).to_std().unwrap() - Duration::from_secs(1));
    assert_eq!(scene.ada(&token).await.0, 200);
    scene.shop.advance(Duration::from_secs(6));
    assert_eq!(scene.ada(&token).await.0, 503);
    // Nobody needs an issuer to look at a product.
    let product = scene.get("/api/products/w", &token).await;
    assert_eq!(product.status, StatusCode::OK);
}

#[tokio::test]
async fn issuer_whose_documents_are_not_right_gives_no_keys() {
    let pair = Pair::new();
    let uri = "/.well-known/openid-configuration";
    for (what, configuration, keys) in [
        (
            "of another issuer",
            json!({"issuer": "https://other.example", "jwks_uri": "(here)/keys"}),
            json!({"keys": [pair.jwk("k")]}),
        ),
        ("without keys", json!({"issuer": "(here)", "jwks_uri": "(here)/keys"}), json!({"keys": []})),
        (
            "endless",
            json!({"issuer": "(here)", "jwks_uri": "(here)/keys"}),
            json!({"keys": [pair.jwk("k")], "x": "x".repeat(300_000)}),
        ),
        ("no set", json!({"issuer": "(here)", "jwks_uri": "(here)/keys"}), json!([])),
    ] {
        let scene = Scene::of_customers().await;
        let configuration = configuration.to_string().replace("(here)", &scene.issuer.uri());
        scene.serve(uri, 200, serde_json::from_str(&configuration).unwrap()).await;
        scene.serve("/keys", 200, keys).await;
        let token = pair.sign("k", &scene.claims(&json!({})));
        assert_eq!(scene.ada(&token).await.0, 503, "{what}");
    }
}

#[tokio::test]
async fn roles_say_who_may_and_only_where_roles_are_believed() {
    let pair = Pair::new();
    let workforce = Scene::of_workforce().await;
    workforce.publish(&[pair.jwk("k")]).await;
    let of = |scene: &Scene, more: Value| pair.sign("k", &scene.claims(&more));
    let path = "/api/customers";
    for (claims, status) in [
        (json!({"roles": ["staff"]}), 200),
        (json!({"roles": ["unknown", "staff"]}), 200),
        (json!({"roles": ["courier"]}), 403),
        (json!({"roles": ["partner:willy"]}), 403),
        (json!({"roles": []}), 403),
        (json!({}), 403),
        (json!({"roles": ["partner:willy", "partner:wanda"]}), 401),
        (json!({"roles": "staff"}), 401),
    ] {
        let answer = workforce.get(path, &of(&workforce, claims.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{claims}");
    }
    // No customer comes from there, whatever the subject is called.
    let token = of(&workforce, json!({"sub": "ada"}));
    assert_eq!(workforce.get("/api/customers/ada", &token).await.status, StatusCode::FORBIDDEN);
    let customers = Scene::of_customers().await;
    customers.publish(&[pair.jwk("k")]).await;
    let token = of(&customers, json!({"roles": ["staff"]}));
    assert_eq!(customers.get(path, &token).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn fetch_goes_on_when_the_one_who_began_it_goes_away() {
    let scene = Scene::of_customers().await;
    let pair = Pair::new();
    scene.publish(&[pair.jwk("k")]).await;
    let token = pair.sign("k", &scene.claims(&json!({})));
    let left = futures::future::select(Box::pin(scene.ada(&token)), Box::pin(scene.fetch_begun())).await;
    assert!(matches!(left, futures::future::Either::Right(_)), "nobody was there to leave");
    drop(left);
    assert_eq!(scene.ada(&token).await.0, 200);
    assert_eq!(scene.fetches().await, 1);
}

#[tokio::test]
async fn issuer_that_hangs_does_not_hold_up_those_whose_key_is_known() {
    let scene = Scene::of_customers().await;
    let pair = Pair::new();
    scene.publish(&[pair.jwk("k")]).await;
    let claims = scene.claims(&json!({"exp": scene.shop.app.clock.now().timestamp() + 90_000}));
    let token = pair.sign("k", &claims);
    assert_eq!(scene.ada(&token).await.0, 200);
    scene.issuer.reset().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(3600));
    Mock::given(method("GET")).respond_with(late).mount(&scene.issuer).await;
    scene.shop.advance(Duration::from_secs(3600));
    let all = futures::future::join_all((0..10).map(|_| scene.ada(&token))).await;
    assert!(all.iter().all(|(status, _)| *status == 200), "{all:?}");
    let requests = scene.issuer.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "all wait for one fetch");
}

#[tokio::test]
async fn unknown_key_of_an_issuer_that_is_down_is_no_wrong_one() {
    let scene = Scene::of_customers().await;
    let pair = Pair::new();
    scene.publish(&[pair.jwk("k")]).await;
    let claims = scene.claims(&json!({}));
    assert_eq!(scene.ada(&pair.sign("k", &claims)).await.0, 200);
    scene.issuer.reset().await;
    scene.shop.advance(Duration::from_secs(60));
    assert_eq!(scene.ada(&pair.sign("turned", &claims)).await.0, 503);
    assert_eq!(scene.ada(&pair.sign("k", &claims)).await.0, 200);
}

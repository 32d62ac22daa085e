//! Pictures of products, from the request that brings one to the bytes that others see.
#![cfg(test)]

use std::io::Cursor;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use futures::future::join_all;
use futures::stream;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageReader, Rgb, RgbImage};
use serde_json::{Value, json};
use widgetco::app::images::Images;
use widgetco::blob::Blobs;
use widgetco::domain::id::ProductId;
use widgetco::domain::image::{FILE_BYTES_MAX, IMAGES_MAX};

use crate::azurite::{Azurite, settings};
use crate::blobs::{Folder, names};
use crate::shop::TestShop;

const PATH: &str = "/api/products/mug/images";
const BOUNDARY: &str = "----form-boundary-7MA4YWxk";

/// A picture that no other seed gives.
fn pixels(seed: u8, width: u32, height: u32) -> DynamicImage {
    let shade = |at: u32| u8::try_from(at % 256).unwrap();
    RgbImage::from_fn(width, height, |x, y| Rgb([shade(x), shade(y), seed])).into()
}

pub(crate) fn png(seed: u8, width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    pixels(seed, width, height).write_with_encoder(PngEncoder::new(&mut file)).unwrap();
    file
}

fn jpeg(seed: u8, width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    pixels(seed, width, height).write_with_encoder(JpegEncoder::new(&mut file)).unwrap();
    file
}

/// A form with these parts: name, file name, bytes.
pub(crate) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

fn decode(file: &[u8]) -> DynamicImage {
    ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap().decode().unwrap()
}

/// A shop with one product and a folder for pictures.
async fn gallery(name: &str) -> (TestShop, Folder) {
    let folder = Folder::new(name);
    let mut shop = TestShop::open(&[("mug", 5)]).await;
    shop.show_images(Images::connect(&folder.settings()));
    (shop, folder)
}

async fn add(shop: &TestShop, path: &str, body: impl Into<Body>) -> (StatusCode, HeaderMap, Value) {
    let (status, headers, body) = shop.exchange("POST", path, &[], body).await;
    (status, headers, serde_json::from_slice(&body).unwrap_or_default())
}

/// Adds a picture and gives its path.
async fn added(shop: &TestShop, seed: u8) -> String {
    let (status, headers, body) = add(shop, PATH, png(seed, 20, 10)).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    headers["location"].to_str().unwrap().to_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn two_pictures_of_a_product_appear_with_their_copies() {
    let azurite = Azurite::start();
    let mut shop = TestShop::open(&[("mug", 5)]).await;
    shop.show_images(Images::connect(&settings(azurite.url("shop"))));

    let (status, headers, first) = add(&shop, &format!("{PATH}?alt=From+the+front"), png(1, 1300, 650)).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(text(&headers, "location"), format!("{PATH}/{}", first["id"].as_str().unwrap()));
    assert_eq!((&first["alt"], &first["format"]), (&json!("From the front"), &json!("png")));
    let (content_type, body) =
        form(&[("alt", None, "Von hinten – schön".as_bytes()), ("image", Some("a.txt"), &jpeg(2, 500, 400))]);
    let sent = shop.exchange("POST", PATH, &[("content-type", &content_type)], body).await;
    assert_eq!(sent.0, StatusCode::CREATED, "{:?}", sent.2);

    let product = shop.get("/api/products/mug").await.body;
    let images = product["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!((&images[1]["alt"], &images[1]["format"]), (&json!("Von hinten – schön"), &json!("jpeg")));
    for (image, widths) in images.iter().zip([[400, 1200], [400, 500]]) {
        let path = format!("{PATH}/{}", image["id"].as_str().unwrap());
        let (status, headers, file) = shop.exchange("GET", &path, &[], Body::empty()).await;
        assert_eq!(status, StatusCode::OK);
        let format = image["format"].as_str().unwrap();
        assert_eq!(text(&headers, "content-type"), format!("image/{format}"));
        assert_eq!(u64::from(decode(&file).width()), image["widthPx"].as_u64().unwrap());
        assert_eq!(file.len().to_string(), image["sizeBytes"].to_string());
        for (rendition, width) in image["renditions"].as_array().unwrap().iter().zip(widths) {
            assert_eq!(rendition["widthPx"], width);
            let (status, headers, file) =
                shop.exchange("GET", &format!("{path}/{width}"), &[], Body::empty()).await;
            assert_eq!((status, text(&headers, "content-type")), (StatusCode::OK, "image/webp"));
            assert_eq!(
                (decode(&file).width(), decode(&file).height().to_string()),
                (width, rendition["heightPx"].to_string())
            );
        }
    }
    assert_eq!(names(&shop.app.images.blobs, 100).await.len(), 6);
}

#[tokio::test]
async fn bytes_are_served_in_parts_and_may_be_kept_for_ever() {
    let (shop, _folder) = gallery("served").await;
    let path = added(&shop, 1).await;
    let (status, headers, whole) = shop.exchange("GET", &path, &[], Body::empty()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text(&headers, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(
        (text(&headers, "accept-ranges"), text(&headers, "x-content-type-options")),
        ("bytes", "nosniff")
    );
    let (etag, size) = (text(&headers, "etag").to_owned(), whole.len());

    let (status, head, body) = shop.exchange("HEAD", &path, &[("range", "bytes=0-1")], Body::empty()).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.get(name), headers.get(name), "{name}");
    }
    let (status, headers, body) =
        shop.exchange("GET", &path, &[("if-none-match", &etag)], Body::empty()).await;
    assert_eq!((status, body.len(), text(&headers, "etag")), (StatusCode::NOT_MODIFIED, 0, etag.as_str()));

    for (range, part) in [("bytes=0-9", 0..10), ("bytes=10-", 10..size), ("bytes=-7", size - 7..size)] {
        for condition in [("x-none", ""), ("if-range", etag.as_str())] {
            let (status, headers, body) =
                shop.exchange("GET", &path, &[("range", range), condition], Body::empty()).await;
            assert_eq!((status, &body), (StatusCode::PARTIAL_CONTENT, &whole.slice(part.clone())), "{range}");
            let expected = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            assert_eq!(text(&headers, "content-range"), expected);
            assert_eq!(text(&headers, "content-length"), part.len().to_string());
        }
    }
    let (status, headers, body) =
        shop.exchange("GET", &path, &[("range", &format!("bytes={size}-"))], Body::empty()).await;
    assert_eq!(
        (status, text(&headers, "content-range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, format!("bytes */{size}").as_str())
    );
    assert!(String::from_utf8_lossy(&body).contains("range-not-satisfiable"));
    for ignored in
        [[("range", "bytes=0-1,4-5"), ("x-none", "")], [("range", "bytes=0-1"), ("if-range", "\"other\"")]]
    {
        let (status, _, body) = shop.exchange("GET", &path, &ignored, Body::empty()).await;
        assert_eq!((status, &body), (StatusCode::OK, &whole), "{ignored:?}");
    }
}

#[tokio::test]
async fn width_that_a_picture_lacks_leads_to_what_comes_nearest() {
    let (shop, _folder) = gallery("widths").await;
    let path = added(&shop, 1).await;
    for width in [400, 1200] {
        let (status, headers, _) = shop.exchange("GET", &format!("{path}/{width}"), &[], Body::empty()).await;
        assert_eq!(
            (status, text(&headers, "location")),
            (StatusCode::TEMPORARY_REDIRECT, format!("{path}/20").as_str())
        );
    }
    for width in ["21", "0", "x", "-400"] {
        let (status, _, body) = shop.exchange("GET", &format!("{path}/{width}"), &[], Body::empty()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(String::from_utf8_lossy(&body).contains("copies of these widths: 20"), "{body:?}");
    }
}

#[tokio::test]
async fn readers_are_sent_to_the_public_address_when_there_is_one() {
    let (mut shop, folder) = gallery("public").await;
    let path = added(&shop, 1).await;
    let id = path.rsplit('/').next().unwrap();
    let blobs = Blobs::connect(&folder.settings());
    shop.show_images(Images::new(blobs, Some("https://cdn.example.com/images")));
    for (suffix, name) in [("", "original.png"), ("/20", "20.webp")] {
        let (status, headers, _) = shop.exchange("GET", &format!("{path}{suffix}"), &[], Body::empty()).await;
        let location = format!("https://cdn.example.com/images/mug/{id}/{name}");
        assert_eq!((status, text(&headers, "location")), (StatusCode::TEMPORARY_REDIRECT, location.as_str()));
    }
}

#[tokio::test]
async fn pictures_of_a_deleted_product_stay_and_can_be_removed() {
    let (shop, _folder) = gallery("deleted").await;
    let path = added(&shop, 1).await;
    assert_eq!(shop.send("DELETE", "/api/products/mug", &[], None).await.status, StatusCode::NO_CONTENT);
    let described = shop.send("PATCH", &path, &[], Some(json!({"alt": "Mug"}).to_string())).await;
    let arranged = shop.put(PATH, &[("If-Match", "*")], json!({"items": []})).await;
    for refused in [described, arranged] {
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::CONFLICT, &json!("product-deleted"))
        );
    }
    assert_eq!(shop.send("GET", &path, &[], None).await.status, StatusCode::OK);
    assert_eq!(shop.send("DELETE", &path, &[], None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_the_reason() {
    let (shop, _folder) = gallery("refused").await;
    let too_large = vec![0; FILE_BYTES_MAX + 1];
    let far_too_large = FILE_BYTES_MAX * 3;
    let sides = png(1, 16_384, 1);
    let cut = jpeg(1, 300, 300)[..200].to_vec();
    for (body, status, code, word) in [
        (Vec::new(), 415, "unsupported-image", "PNG, JPEG, WebP or AVIF"),
        (b"GIF89a...".to_vec(), 415, "unsupported-image", "PNG, JPEG, WebP or AVIF"),
        (too_large.clone(), 413, "payload-too-large", "8388608"),
        (sides, 422, "too-many-pixels", "16384 x 1"),
        (cut, 422, "damaged-image", "JPEG"),
    ] {
        // Whatever the header says.
        let headers = [("content-type", "image/png")];
        let (given, _, body) = shop.exchange("POST", PATH, &headers, body).await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((given.as_u16(), body["code"].as_str()), (status, Some(code)), "{body}");
        assert!(body["detail"].as_str().unwrap().contains(word), "{body}");
    }
    let declared = [("content-length", far_too_large.to_string())];
    let declared = declared.each_ref().map(|(name, value)| (*name, value.as_str()));
    let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let (status, ..) = shop.exchange("POST", PATH, &declared, endless).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "no byte is waited for");

    let file = png(1, 4, 4);
    let image = ("image", Some("a.png"), file.as_slice());
    for (parts, status) in [
        (vec![("alt", None, b"x".as_slice())], 400),
        (vec![image, image], 400),
        (vec![image, ("alt", None, b"\xff".as_slice())], 400),
        (vec![image, ("price", None, b"1".as_slice())], 400),
        (vec![("image", None, too_large.as_slice())], 413),
        (vec![image, ("alt", None, "a".repeat(301).as_bytes())], 400),
    ] {
        let (content_type, body) = form(&parts);
        let (given, _, body) = shop.exchange("POST", PATH, &[("content-type", &content_type)], body).await;
        assert_eq!(given.as_u16(), status, "{body:?}");
    }
    for (path, status) in [
        ("/api/products/mug/images?caption=x", 400),
        ("/api/products/cup/images", 404),
        ("/api/products/Mug!/images", 404),
    ] {
        assert_eq!(add(&shop, path, file.clone()).await.0.as_u16(), status, "{path}");
    }
    let broken = shop.exchange("POST", PATH, &[("content-type", "multipart/form-data")], file).await;
    assert_eq!(broken.0, StatusCode::BAD_REQUEST);
    assert_eq!(shop.get(PATH).await.body, json!({"items": []}));
    assert_eq!(names(&shop.app.images.blobs, 10).await, Vec::<String>::new(), "nothing was kept");
}

#[tokio::test]
async fn pictures_are_described_arranged_and_removed() {
    let (shop, _folder) = gallery("arranged").await;
    let paths = [added(&shop, 1).await, added(&shop, 2).await, added(&shop, 3).await];
    let ids = paths.each_ref().map(|path| path.rsplit('/').next().unwrap());
    let described = shop.send("PATCH", &paths[1], &[], Some(json!({"alt": "The handle"}).to_string())).await;
    assert_eq!((described.status, &described.body["alt"]), (StatusCode::OK, &json!("The handle")));
    let two_lines = shop.send("PATCH", &paths[1], &[], Some(json!({"alt": "a\nb"}).to_string())).await;
    assert_eq!(two_lines.body["errors"][0]["pointer"], "/alt");

    let list = shop.get(PATH).await;
    let etag = list.header("etag").to_owned();
    let order = |order: &[usize]| {
        let items: Vec<_> =
            order.iter().map(|at| json!({"id": ids[*at], "alt": format!("no. {at}")})).collect();
        json!({ "items": items })
    };
    assert_eq!(shop.put(PATH, &[], order(&[2, 0, 1])).await.status, StatusCode::PRECONDITION_REQUIRED);
    for (wrong, pointer) in
        [(vec![0, 1], "/items"), (vec![0, 1, 1], "/items/2/id"), (vec![0, 1, 2, 0], "/items/3/id")]
    {
        let answer = shop.put(PATH, &[("If-Match", &etag)], order(&wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
    let turned = shop.put(PATH, &[("If-Match", &etag)], order(&[2, 0, 1])).await;
    assert_eq!(turned.status, StatusCode::OK, "{:?}", turned.body);
    assert_eq!(turned.body["items"][0]["id"], ids[2]);
    assert_eq!(turned.header("etag"), shop.get(PATH).await.header("etag"));
    let late = shop.put(PATH, &[("If-Match", &etag)], order(&[0, 1, 2])).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);

    let removed = shop.send("DELETE", &paths[0], &[], None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    for (method, body) in [("DELETE", None), ("GET", None), ("PATCH", Some(json!({"alt": ""}).to_string()))] {
        let answer = shop.send(method, &paths[0], &[], body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    let left: Vec<_> = shop.get(PATH).await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(left, [ids[2], ids[1]]);
    assert_eq!(names(&shop.app.images.blobs, 100).await.len(), 4);
}

#[tokio::test]
async fn same_file_again_is_the_same_picture_and_the_thirteenth_is_refused() {
    let (shop, _folder) = gallery("full").await;
    let path = added(&shop, 0).await;
    let (status, headers, _) = add(&shop, PATH, png(0, 20, 10)).await;
    assert_eq!((status, text(&headers, "location")), (StatusCode::OK, path.as_str()));
    // All at once: those who are overtaken try again, on what the others have left.
    let seeds: Vec<_> = (1..u8::try_from(IMAGES_MAX).unwrap()).collect();
    for seeds in seeds.chunks(4) {
        join_all(seeds.iter().map(|seed| added(&shop, *seed))).await;
    }
    let (status, _, body) = add(&shop, PATH, png(99, 20, 10)).await;
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("too-many-images")));
    assert_eq!(shop.get(PATH).await.body["items"].as_array().unwrap().len(), IMAGES_MAX);
    assert_eq!(names(&shop.app.images.blobs, 100).await.len(), 2 * IMAGES_MAX);
}

#[tokio::test]
async fn deleted_product_shows_its_pictures_and_takes_no_more() {
    let (shop, _folder) = gallery("deleted").await;
    let path = added(&shop, 1).await;
    let products = &shop.app.store.products;
    let seen = products.read(&ProductId::parse("mug").unwrap()).await.unwrap().unwrap();
    products.replace(&seen.etag, &seen.value.deleted(shop.app.clock.now())).await.unwrap();
    assert_eq!(shop.exchange("GET", &path, &[], Body::empty()).await.0, StatusCode::OK);
    let (status, _, body) = add(&shop, PATH, png(2, 20, 10)).await;
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("product-deleted")));
}

#[tokio::test]
async fn shop_without_a_place_for_pictures_says_so() {
    let shop = TestShop::open(&[("mug", 5)]).await;
    let (status, headers, body) = add(&shop, PATH, png(1, 20, 10)).await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("images-not-set-up")));
    assert!(headers.contains_key("retry-after") && body["detail"].as_str().unwrap().contains("IMAGES_STORE"));
    assert_eq!(shop.get(PATH).await.body, json!({"items": []}));
    assert_eq!(shop.tick("SweepImages").await.status, StatusCode::OK);
}

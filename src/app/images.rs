//! Pictures of products: added, described, arranged and removed, so that no product ever refers to a blob that is not there.
//!
//! Blobs are written before the product that refers to them, and removed after it. What is cut off in between leaves blobs
//! that nobody refers to, for [`crate::app::sweep`]. Does not know how a picture was sent.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::app::App;
use crate::blob::{self, Blobs};
use crate::config::ImagesConfig;
use crate::domain::id::{Fingerprint, ImageId, ProductId};
use crate::domain::image::{IMAGES_MAX, Image, Misarranged, Placement, Rendition, arranged};
use crate::domain::product::Product;
use crate::picture::{Picture, Refusal};
use crate::store::{self, Versioned};

/// Pictures that are decoded at once: each takes up to half a gigabyte, and all the computing time there is.
const DEVELOPED_AT_ONCE: usize = 1;
/// Longest wait for one's turn. A picture takes a second or two at most.
const TURN_WAIT_MAX: Duration = Duration::from_secs(30);
/// What smaller copies are.
pub const RENDITION_TYPE: &str = "image/webp";

/// Where pictures are, and the room in which they are developed; a clone shares both.
#[derive(Clone, Debug)]
pub struct Images {
    /// Where they are kept.
    pub blobs: Blobs,
    /// Where readers are sent, without a slash at its end.
    pub public_url: Option<Arc<str>>,
    darkroom: Arc<Semaphore>,
}

/// Why a picture could not be dealt with, though nothing is wrong with it. A retry may help.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store of documents failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store of blobs failed.
    #[error(transparent)]
    Blob(#[from] blob::Error),
    /// Too many others are sending pictures. A retry helps.
    #[error("cannot decode a picture: others have not finished within {TURN_WAIT_MAX:?}")]
    Busy,
    /// Decoding came to an unforeseen end. A retry does not help.
    #[error("cannot decode a picture of {product_id}")]
    Decoder {
        /// For which product it was.
        product_id: ProductId,
        /// What ended it.
        source: tokio::task::JoinError,
    },
}

/// What came of a picture that was sent.
#[derive(Debug)]
pub enum Added {
    /// The product shows it now.
    New(Image),
    /// The product showed it before.
    Known(Image),
    /// It cannot be kept.
    Refused(Refusal),
    /// The product cannot take it.
    NotTaken(NotTaken),
}

/// Why a product's pictures are not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no such product.
    NoProduct,
    /// It is deleted.
    Deleted,
    /// It has as many pictures as it may have.
    Full,
    /// It has no such picture.
    NoImage,
    /// Its pictures are no longer what the caller expected.
    Stale,
    /// They cannot be arranged like that.
    Misarranged(Misarranged),
}

impl Images {
    /// Pictures in this place.
    pub fn new(blobs: Blobs, public_url: Option<&str>) -> Self {
        Self {
            blobs,
            public_url: public_url.map(Arc::from),
            darkroom: Arc::new(Semaphore::new(DEVELOPED_AT_ONCE)),
        }
    }

    /// Pictures where the settings say.
    pub fn connect(config: &ImagesConfig) -> Self {
        Self::new(Blobs::connect(config), config.public_url.as_deref())
    }

    /// Decodes and scales on a thread that may block, when its turn has come. A caller who goes away does not stop it, so
    /// its turn ends with the work.
    async fn develop(&self, product_id: &ProductId, file: Bytes) -> Result<Result<Picture, Refusal>, Error> {
        let turn = timeout(TURN_WAIT_MAX, Arc::clone(&self.darkroom).acquire_owned());
        let turn = turn.await.map_err(|_late| Error::Busy)?.map_err(|_closed| Error::Busy)?;
        let work = tokio::task::spawn_blocking(move || {
            let picture = Picture::of(file);
            drop(turn);
            picture
        });
        work.await.map_err(|source| Error::Decoder { product_id: product_id.clone(), source })
    }
}

impl App {
    /// Keeps a file as the product's last picture. The same file again is the same picture.
    ///
    /// # Errors
    /// [`Error`]; calling again is safe. Blobs may be left behind, for the sweep.
    pub async fn add_image(&self, product_id: &ProductId, file: Bytes, alt: String) -> Result<Added, Error> {
        if !self.images.blobs.is_set() {
            return Err(blob::Error::Unset { operation: format!("add a picture to {product_id}") }.into());
        }
        let source = Fingerprint::of_file(&file);
        // Looked at before the work, and again when it is written.
        match self.store.products.read(product_id).await? {
            None => return Ok(Added::NotTaken(NotTaken::NoProduct)),
            Some(product) => match room(&product.value, &source) {
                Ok(None) => {}
                Ok(Some(known)) => return Ok(Added::Known(known)),
                Err(not_taken) => return Ok(Added::NotTaken(not_taken)),
            },
        }
        let picture = match self.images.develop(product_id, file).await? {
            Ok(picture) => picture,
            Err(refusal) => return Ok(Added::Refused(refusal)),
        };
        let id = ImageId::from_chance(self.ids.bytes16());
        let image = image(id, alt, &picture, source, self.clock.now());
        self.put(product_id, &image, picture).await?;
        let changed = self
            .change_images(product_id, |product| match room(product, &image.source)? {
                Some(known) => Ok(Err(known)),
                None => Ok(Ok([product.images.as_slice(), std::slice::from_ref(&image)].concat())),
            })
            .await?;
        match changed {
            Ok(Ok(_)) => Ok(Added::New(image)),
            // An attempt of ours that seemed to fail.
            Ok(Err(known)) if known.id == image.id => Ok(Added::New(image)),
            Ok(Err(known)) => {
                self.remove_blobs(product_id, &image).await;
                Ok(Added::Known(known))
            }
            Err(not_taken) => {
                self.remove_blobs(product_id, &image).await;
                Ok(Added::NotTaken(not_taken))
            }
        }
    }

    /// Says anew what a picture shows. Two requests when nobody else writes.
    ///
    /// # Errors
    /// [`store::Error`]; calling again is safe.
    pub async fn describe_image(
        &self,
        product_id: &ProductId,
        id: &ImageId,
        alt: &str,
    ) -> Result<Result<Image, NotTaken>, store::Error> {
        let changed = self.change_images(product_id, |product| {
            check_not_deleted(product)?;
            let mut images = product.images.clone();
            let image = images.iter_mut().find(|image| image.id == *id).ok_or(NotTaken::NoImage)?;
            if image.alt == alt {
                return Ok(Err(image.clone()));
            }
            image.alt = alt.to_owned();
            Ok(Ok(images))
        });
        Ok(changed.await?.and_then(|changed| match changed {
            Ok(product) => product.image(id).cloned().ok_or(NotTaken::NoImage),
            Err(image) => Ok(image),
        }))
    }

    /// Puts all pictures of a product into this order, if they are as the caller expected. Two requests when nobody else
    /// writes.
    ///
    /// # Errors
    /// [`store::Error`]; calling again is safe.
    pub async fn arrange_images(
        &self,
        product_id: &ProductId,
        expected: impl Fn(&[Image]) -> bool,
        wanted: &[Placement],
    ) -> Result<Result<Vec<Image>, NotTaken>, store::Error> {
        let changed = self.change_images(product_id, |product| {
            check_not_deleted(product)?;
            if !expected(&product.images) {
                return Err(NotTaken::Stale);
            }
            let images = arranged(&product.images, wanted).map_err(NotTaken::Misarranged)?;
            Ok(if images == product.images { Err(images) } else { Ok(images) })
        });
        Ok(changed.await?.map(|changed| match changed {
            Ok(product) => product.images,
            Err(images) => images,
        }))
    }

    /// Takes a picture from its product, and then removes its blobs. What of that fails is left to the sweep.
    ///
    /// # Errors
    /// [`store::Error`]; with [`store::Error::Unavailable`] it may be taken away, and calling again is safe.
    pub async fn remove_image(
        &self,
        product_id: &ProductId,
        id: &ImageId,
    ) -> Result<Result<(), NotTaken>, store::Error> {
        let removed = std::sync::Mutex::new(None);
        let changed = self.change_images::<()>(product_id, |product| {
            let (gone, left): (Vec<_>, Vec<_>) =
                product.images.iter().cloned().partition(|image| image.id == *id);
            let gone = gone.into_iter().next().ok_or(NotTaken::NoImage)?;
            *removed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(gone);
            Ok(Ok(left))
        });
        let changed = changed.await?;
        let removed = removed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (changed, removed) {
            // An attempt of ours that seemed to fail took it away.
            (Ok(_) | Err(NotTaken::NoImage), Some(image)) => {
                self.remove_blobs(product_id, &image).await;
                Ok(Ok(()))
            }
            (Err(not_taken), _) => Ok(Err(not_taken)),
            (Ok(_), None) => Ok(Ok(())),
        }
    }

    /// Changes a product's pictures. `decide` gives the new ones, or (the inner error) what it found already done.
    async fn change_images<D>(
        &self,
        product_id: &ProductId,
        decide: impl Fn(&Product) -> Result<Result<Vec<Image>, D>, NotTaken>,
    ) -> Result<Result<Result<Product, D>, NotTaken>, store::Error> {
        let decide = |seen: Versioned<Product>| {
            ready(Ok(match decide(&seen.value) {
                Ok(Ok(images)) => Ok(Product { images, updated_at: self.clock.now(), ..seen.value }),
                Ok(Err(done)) => Err(Ok(Err(done))),
                Err(not_taken) => Err(Err(not_taken)),
            }))
        };
        let revised = self.revise_product(product_id, Err(NotTaken::NoProduct), decide).await?;
        Ok(revised.map_or_else(|answer| answer, |product| Ok(Ok(product.value))))
    }

    /// Writes the blobs of a picture, the original last.
    async fn put(&self, product_id: &ProductId, image: &Image, picture: Picture) -> Result<(), blob::Error> {
        let blobs = &self.images.blobs;
        for (rendition, copy) in image.renditions.iter().zip(picture.copies) {
            let name = rendition.blob_name(product_id, &image.id);
            blobs.put(&name, RENDITION_TYPE, copy.bytes).await?;
        }
        blobs.put(&image.blob_name(product_id), image.format.content_type(), picture.original).await
    }

    /// Removes the blobs of a picture that no product refers to; one that cannot be removed now is left to the sweep.
    async fn remove_blobs(&self, product_id: &ProductId, image: &Image) {
        for name in image.blob_names(product_id) {
            if let Err(error) = self.images.blobs.remove(&name).await {
                tracing::warn!(%error, name, "a blob is left to the sweep");
            }
        }
    }
}

/// Refuses to change the pictures of a deleted product.
fn check_not_deleted(product: &Product) -> Result<(), NotTaken> {
    product.deleted_at.map_or(Ok(()), |_| Err(NotTaken::Deleted))
}

/// Whether a product can take one more picture; the picture when it has the same already.
fn room(product: &Product, source: &Fingerprint) -> Result<Option<Image>, NotTaken> {
    if let Some(known) = product.images.iter().find(|image| image.source == *source) {
        return Ok(Some(known.clone()));
    }
    check_not_deleted(product)?;
    if product.images.len() >= IMAGES_MAX { Err(NotTaken::Full) } else { Ok(None) }
}

fn image(
    id: ImageId,
    alt: String,
    picture: &Picture,
    source: Fingerprint,
    now: chrono::DateTime<chrono::Utc>,
) -> Image {
    let size_bytes = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let renditions = picture.copies.iter().map(|copy| Rendition {
        width_px: copy.width_px,
        height_px: copy.height_px,
        size_bytes: size_bytes(&copy.bytes),
    });
    Image {
        id,
        alt,
        format: picture.format,
        width_px: picture.width_px,
        height_px: picture.height_px,
        size_bytes: size_bytes(&picture.original),
        renditions: renditions.collect(),
        source,
        created_at: now,
    }
}

//! Chance that a seed decides: SplitMix64. Does not know what is drawn for.
#![cfg(test)]

/// The same numbers in the same order for the same seed.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: u32, last: u32) -> u32 {
        first + u32::try_from(self.next() % u64::from(last - first + 1)).unwrap()
    }

    /// Whether something happens that happens this often in a thousand.
    pub(super) fn happens(&mut self, per_mille: u32) -> bool {
        self.between(1, 1000) <= per_mille
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// One of the values, each as often as its weight says. At least one weight is not 0.
    pub(super) fn weigh<T: Clone>(&mut self, weighted: &[(u32, T)]) -> T {
        let mut left = self.between(1, weighted.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in weighted {
            if left <= *weight {
                return value.clone();
            }
            left -= weight;
        }
        unreachable!("the weights add up")
    }
}

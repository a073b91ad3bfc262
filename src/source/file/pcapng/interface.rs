//! Interfaces: how their packets begin and what their clock counts.

use super::block::{Order, options};
use crate::event::{LinkType, Time};

const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

/// One interface of a section.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    pub link_type: LinkType,
    /// The most bytes that were captured of a packet; 0 for no limit.
    pub snaplen: u32,
    resolution: u8,
    /// How many nanoseconds a tick is, where that is a whole number.
    tick: Option<u32>,
    /// Seconds to be added to every time.
    offset: i64,
}

impl Interface {
    pub fn read(order: Order, body: &[u8]) -> Self {
        let mut interface = Self {
            link_type: LinkType(u32::from(order.u16_at(body, 0))),
            snaplen: order.u32_at(body, 4),
            resolution: 6,
            tick: None,
            offset: 0,
        };
        for (code, value) in options(order, body.get(8..).unwrap_or_default()) {
            match (code, value) {
                (IF_TSRESOL, [resolution, ..]) => interface.resolution = *resolution,
                (IF_TSOFFSET, value) if value.len() == 8 => interface.offset = order.u64_at(value, 0).cast_signed(),
                _ => {}
            }
        }
        interface.tick = 9_u32.checked_sub(u32::from(interface.resolution)).map(|power| 10_u32.pow(power));
        interface
    }

    /// The time that `ticks` of this interface's clock stand for, as near as 64 bits of nanoseconds hold it.
    #[inline]
    pub fn time(&self, ticks: u64) -> Time {
        self.short_time(ticks).unwrap_or_else(|| self.long_time(ticks))
    }

    /// The same without division, for clocks that tick in whole nanoseconds and times that need no rounding.
    #[inline]
    fn short_time(&self, ticks: u64) -> Option<Time> {
        let nanos = i64::try_from(ticks).ok()?.checked_mul(i64::from(self.tick?))?;
        let offset = self.offset.checked_mul(1_000_000_000)?;
        nanos.checked_add(offset).map(Time)
    }

    fn long_time(&self, ticks: u64) -> Time {
        let nanos = u128::from(ticks) * 1_000_000_000;
        let power = u32::from(self.resolution & 0x7f);
        let nanos = if self.resolution & 0x80 == 0 {
            10_u128.checked_pow(power).map_or(0, |ticks_a_second| nanos / ticks_a_second)
        } else {
            nanos.checked_shr(power).unwrap_or(0)
        };
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX);
        let total = nanos.saturating_add(i128::from(self.offset) * 1_000_000_000);
        Time(i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// How many packets an interface statistics block says were lost, by the interface and by the system together.
pub fn dropped(order: Order, body: &[u8]) -> u64 {
    options(order, body.get(12..).unwrap_or_default())
        .filter(|(code, value)| matches!(*code, ISB_IFDROP | ISB_OSDROP) && value.len() == 8)
        .map(|(_, value)| order.u64_at(value, 0))
        .fold(0, u64::saturating_add)
}

//! The time of day.

use crate::event::Time;

/// Whose time of day is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The local time zone, as `TZ` or the system says.
    #[default]
    Local,
    /// Coordinated universal time.
    Utc,
}

/// `03:51:51.137047`: the time of day in microseconds, cut and not rounded.
pub fn of_day(time: Time, zone: Zone) -> String {
    let seconds = time.0.div_euclid(1_000_000_000);
    let micros = time.0.rem_euclid(1_000_000_000) / 1_000;
    let local = if zone == Zone::Local { local_seconds(seconds) } else { None };
    let of_day = local.unwrap_or_else(|| seconds.rem_euclid(86_400));
    format!("{:02}:{:02}:{:02}.{micros:06}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Seconds of the local day; `None` where the system cannot tell, as for a year that has more than 32 bits.
#[allow(unsafe_code, reason = "localtime_r(3) has no safe wrapper in the crates that are here")]
fn local_seconds(seconds: i64) -> Option<i64> {
    let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call, and localtime_r keeps neither; zeroes are a valid `tm`, so it may be read
    // whatever the call did.
    let local = unsafe {
        if libc::localtime_r(&raw const seconds, local.as_mut_ptr()).is_null() {
            return None;
        }
        local.assume_init()
    };
    Some(i64::from(local.tm_hour) * 3600 + i64::from(local.tm_min) * 60 + i64::from(local.tm_sec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_cut_and_times_before_1970_count_backwards() {
        assert_eq!(of_day(Time(13_911_137_047_999), Zone::Utc), "03:51:51.137047");
        assert_eq!(of_day(Time(-1), Zone::Utc), "23:59:59.999999");
        assert_eq!(of_day(Time(i64::MAX), Zone::Utc), "23:47:16.854775");
    }
}

//! BPF expressions on the packets of a file, by libpcap.

#[cfg(feature = "capture")]
pub use with_libpcap::Filter;
#[cfg(not(feature = "capture"))]
pub use without_libpcap::Filter;

#[cfg(feature = "capture")]
mod with_libpcap {
    use pcap::{BpfProgram, Capture, Linktype};

    use crate::app::Failure;
    use crate::event::LinkType;

    /// An expression, compiled for each link type that comes.
    pub struct Filter {
        expression: String,
        programs: Vec<(LinkType, BpfProgram)>,
    }

    impl Filter {
        /// Fails if `expression` is none, as tried with Ethernet.
        pub fn new(expression: &str) -> Result<Self, Failure> {
            let mut filter = Self { expression: expression.to_owned(), programs: Vec::new() };
            filter.compile(LinkType::ETHERNET)?;
            Ok(filter)
        }

        /// Whether a packet matches. Fails where the expression cannot be had for the packet's link type.
        pub fn passes(&mut self, link_type: LinkType, data: &[u8]) -> Result<bool, Failure> {
            if !self.programs.iter().any(|(known, _)| *known == link_type) {
                self.compile(link_type)?;
            }
            let program = self.programs.iter().find(|(known, _)| *known == link_type);
            let data = data.get(skipped(link_type)..).unwrap_or_default();
            Ok(program.is_some_and(|(_, program)| program.filter(data)))
        }

        fn compile(&mut self, link_type: LinkType) -> Result<(), Failure> {
            let Self { expression, programs } = self;
            let failed = |error: pcap::Error| {
                Failure::new(format!("cannot compile the filter {expression:?} for link type {}: {error}", link_type.0))
                    .help("the language is that of pcap-filter(7): \"port 2222\", \"host 10.0.0.1 and tcp[tcpflags] & tcp-rst != 0\"")
            };
            let number = i32::try_from(dlt(link_type).0).unwrap_or(i32::MAX);
            let program =
                Capture::dead(Linktype(number)).and_then(|dead| dead.compile(expression, true)).map_err(failed)?;
            programs.push((link_type, program));
            Ok(())
        }
    }

    /// The number by which libpcap knows a link type in memory. Raw IP's differs from the one in files. The loopback types
    /// begin with an address family that each system numbers otherwise, so the IP packet behind it is looked at.
    fn dlt(link_type: LinkType) -> LinkType {
        match link_type {
            LinkType::RAW | LinkType::NULL | LinkType::LOOP => LinkType::RAW_BSD,
            other => other,
        }
    }

    /// How many bytes at the beginning of a packet the program is not shown.
    fn skipped(link_type: LinkType) -> usize {
        if matches!(link_type, LinkType::NULL | LinkType::LOOP) { 4 } else { 0 }
    }
}

#[cfg(not(feature = "capture"))]
mod without_libpcap {
    use crate::app::Failure;
    use crate::event::LinkType;

    /// No expression can be compiled in this build.
    pub enum Filter {}

    impl Filter {
        /// Fails: filters need libpcap.
        pub fn new(_expression: &str) -> Result<Self, Failure> {
            Err(Failure::new("this epipe was built without libpcap, which compiles filters")
                .help("build it with the feature \"capture\", which is on by default"))
        }

        /// Never called.
        pub fn passes(&mut self, _link_type: LinkType, _data: &[u8]) -> Result<bool, Failure> {
            match *self {}
        }
    }
}
